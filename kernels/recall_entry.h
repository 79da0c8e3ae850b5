// What recall.cpp and recall_backward.cpp share. For the files of this folder.
#pragma once

#include "kernels/dense.h"
#include "kernels/gelu.h"
#include "kernels/recall.h"

namespace longtake {

// The products of dense.h, with and without vector registers.
struct FastProducts {
  template <class T>
  static void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                           std::ptrdiff_t c_stride) {
    longtake::multiply_add(extents, a, b, b_stride, c, c_stride);
  }
  template <class T>
  static T dot(const T* a, const T* b, int count) {
    return longtake::dot(a, b, count);
  }
  template <class T>
  static void gelu(T* x, T* slope, std::size_t count) {
    longtake::gelu(x, slope, count);
  }
};
struct PlainProducts {
  template <class T>
  static void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                           std::ptrdiff_t c_stride) {
    plain::multiply_add(extents, a, b, b_stride, c, c_stride);
  }
  template <class T>
  static T dot(const T* a, const T* b, int count) {
    return plain::dot(a, b, count);
  }
  template <class T>
  static void gelu(T* x, T* slope, std::size_t count) {
    plain::gelu(x, slope, count);
  }
};

namespace recall_entry {
template <class T>
void check_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, const RecallGradients<T>& to);
}  // namespace recall_entry

}  // namespace longtake
