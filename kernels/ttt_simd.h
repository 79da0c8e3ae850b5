// The inner loop in vector registers; see ttt_simd.cpp.
#pragma once

#include <span>

#include "kernels/ttt.h"

namespace longtake {

// Those that this machine runs, down from isa_in_use(), the fastest first.
std::span<const TttBackend<float>> ttt_simd_backends();

}  // namespace longtake
