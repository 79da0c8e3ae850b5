// What the Highway sources of this folder have in common: the targets that they are compiled for.
//
// Each of those sources is compiled once per target, inside its own namespace; only that code may use the
// target's instructions. See isa.h for the choice between them at run time.
#pragma once

// Below AVX2 the plain loops with the compiler's 128-bit vectors are as good, and newer AVX-512 targets add
// nothing that products of floats need.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)

// Whether the target at hand is one of those with vector kernels.
#define LONGTAKE_SIMD (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_NEON)
