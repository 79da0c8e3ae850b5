// Products of small row-major matrices, the way a TTT layer needs them: no packing, no threads, one order of
// additions.
//
// Each entry of a result is its starting value plus the products in ascending order of the inner index,
// whatever the number of rows and columns around it. So cutting a product into pieces changes no bit of it.
#pragma once

#include <cstddef>

namespace longtake {

// A(i, k) = data[i · row_stride + k · inner_stride]; a transposed matrix is one with its strides exchanged.
template <class T>
struct LeftMatrix {
  const T* data = nullptr;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t inner_stride = 1;
};

// Extents of C [rows][columns] += A [rows][inner] · B [inner][columns].
struct ProductExtents {
  int rows = 0;
  int inner = 0;
  int columns = 0;
};

// Rows of B and C are contiguous, `b_stride` and `c_stride` apart. C overlaps neither A nor B. T is float or
// double; floats take the instruction set of isa.h.
template <class T>
void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                  std::ptrdiff_t c_stride);

// Σ a_k b_k, in a fixed order of its own that depends on `count` only.
template <class T>
T dot(const T* a, const T* b, int count);

// The same without anything that a processor might lack. The scalar backend, to which all others are held, is
// made of these.
namespace plain {
template <class T>
void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                  std::ptrdiff_t c_stride);
template <class T>
T dot(const T* a, const T* b, int count);
}  // namespace plain

}  // namespace longtake
