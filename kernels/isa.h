// Which instruction set the kernels of this folder use on this machine.
#pragma once

#include <optional>
#include <string_view>

namespace longtake {

// kNeon has never been built or run.
enum class Isa { kScalar, kNeon, kAvx2, kAvx512 };

// "scalar", "neon", "avx2", "avx512".
std::string_view isa_name(Isa isa);
std::optional<Isa> isa_named(std::string_view name);

// Whether this build has kernels for it and this processor and operating system run them. kAvx2 takes FMA
// with it, kAvx512 stands for F, BW, CD, DQ and VL.
bool isa_runs_here(Isa isa);

// The best that runs here, or the one that the environment variable LONGTAKE_ISA names if that runs here.
// Decided at the first call; the same ever after, for any thread.
Isa isa_in_use();

}  // namespace longtake
