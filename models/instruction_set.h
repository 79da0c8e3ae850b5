// The instruction set that the kernels run on.
#pragma once

#include <string_view>

#include "core/result.h"

namespace longtake {

// "avx512", "avx2", "neon" or "scalar": the best that this machine has, or the one that the environment
// variable LONGTAKE_ISA names. If that is no such name, or one that does not run here, fails with kUsage or
// kDevice.
Result<std::string_view> instruction_set();

}  // namespace longtake
