// The backward pass in plain loops. Every other backend is held to this one, and this one to finite differences and to
// the golden gradients.
#include "kernels/gelu.h"
#include "kernels/simd.h"
#include "kernels/ttt_scalar.h"
// After simd.h.
#include "kernels/ttt_backward-inl.h"

namespace longtake {
namespace {

template <class T>
struct Plain {
  static void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                           std::ptrdiff_t c_stride) {
    plain::multiply_add(extents, a, b, b_stride, c, c_stride);
  }
  static void multiply(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, const T* start,
                       std::ptrdiff_t start_stride, T* c, std::ptrdiff_t c_stride) {
    for (int i = 0; i < extents.rows; ++i) std::copy_n(start + i * start_stride, extents.columns, c + i * c_stride);
    plain::multiply_add(extents, a, b, b_stride, c, c_stride);
  }
  static T dot(const T* a, const T* b, int count) { return plain::dot(a, b, count); }
  static T sum(const T* values, int count) {
    T total = 0;
    for (int i = 0; i < count; ++i) total += values[i];
    return total;
  }
  static void pairs(int n, int width, const T* a, const T* b, T* out, int stride) {
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j <= i; ++j) out[i * stride + j] = dot(a + i * width, b + j * width, width);
    }
  }
  static void transpose(int rows, int columns, const T* from, T* to) {
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
    }
  }
  static void add_transposed(int rows, int columns, const T* from, T* to) {
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) to[c * rows + r] += from[r * columns + c];
    }
  }
  static void gelu(T* x, T* slope, std::size_t count) { plain::gelu(x, slope, count); }
  static void gelu(T* x, T* slope, T* curve, std::size_t count) { plain::gelu(x, slope, curve, count); }
};

}  // namespace

template <class T>
std::size_t ttt_scalar_backward_scratch_size(const TttShape& shape, int every) {
  return HWY_NAMESPACE::backward_scratch_size<T>(shape, every);
}

template <class T>
void ttt_scalar_backward(const TttShape& shape, const TttCall<T>& call, const TttCheckpoints<T>& checkpoints,
                         const TttGradients<T>& gradients) {
  HWY_NAMESPACE::backward<T, Plain<T>>(shape, call, checkpoints, gradients);
}

#define LONGTAKE_INSTANTIATE(T)                                                                   \
  template std::size_t ttt_scalar_backward_scratch_size<T>(const TttShape&, int);                 \
  template void ttt_scalar_backward(const TttShape&, const TttCall<T>&, const TttCheckpoints<T>&, \
                                    const TttGradients<T>&);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
