// A loop of nothing but multiply-adds in registers: what one core could do if memory cost nothing. The yardstick of the
// benchmarks.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace longtake {

// Runs about `flop` floating point operations on floats with the instructions of `isa`, which must run here; kScalar
// counts as the narrowest registers that every processor has. Gives how many they were.
std::int64_t run_fma_loop(Isa isa, std::int64_t flop);

}  // namespace longtake
