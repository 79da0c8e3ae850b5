// C [m][n] = op(A) [m][k] · op(B) [k][n], or that on top of C, all row by row. For products.cpp.
#pragma once

#include <cstdint>

namespace longtake {

struct Factor {
  const float* data = nullptr;
  std::int64_t stride = 0;  // between rows as they lie in memory
  bool transposed = false;
};

// False: nothing was computed, there is no such library here.
bool gemm(std::int64_t m, std::int64_t n, std::int64_t k, Factor a, Factor b, bool on_top, float* c);

}  // namespace longtake
