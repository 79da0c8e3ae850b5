// dense.h and gelu.h for floats in vector registers; see dense_simd.cpp.
#pragma once

#include <cstddef>

#include "kernels/dense.h"

namespace longtake {

struct DenseSimd {
  void (*multiply_add)(ProductExtents, LeftMatrix<float>, const float* b, std::ptrdiff_t b_stride, float* c,
                       std::ptrdiff_t c_stride);
  float (*dot)(const float* a, const float* b, int count);
  void (*gelu)(float* x, float* slope, std::size_t count);
};

// For isa_in_use(); null if plain loops do.
const DenseSimd* dense_simd();

}  // namespace longtake
