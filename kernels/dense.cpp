#include "kernels/dense.h"

#include <type_traits>

#include "kernels/dense_simd.h"
#include "kernels/lanes.h"

namespace longtake {
namespace {

// kRows rows of C times kLanes vectors of columns, kept in registers over the whole inner extent.
template <class T, class V, int kRows, int kLanes>
void tile(int inner, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride) {
  constexpr int kWide = sizeof(V) / sizeof(T);
  V sum[kRows][kLanes];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kLanes; ++j) sum[i][j] = load<V>(c + i * c_stride + j * kWide);
  }
  for (int k = 0; k < inner; ++k) {
    V row[kLanes];
    for (int j = 0; j < kLanes; ++j) row[j] = load<V>(b + k * b_stride + j * kWide);
    for (int i = 0; i < kRows; ++i) {
      const T factor = a.data[i * a.row_stride + k * a.inner_stride];
      for (int j = 0; j < kLanes; ++j) sum[i][j] += factor * row[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kLanes; ++j) store(c + i * c_stride + j * kWide, sum[i][j]);
  }
}

// All rows of a strip of columns.
template <class T, class V, int kLanes>
void strip(int rows, int inner, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
           std::ptrdiff_t c_stride) {
  int i = 0;
  const auto from = [&](int row) {
    return LeftMatrix<T>{a.data + row * a.row_stride, a.row_stride, a.inner_stride};
  };
  for (; i + 4 <= rows; i += 4)
    tile<T, V, 4, kLanes>(inner, from(i), b, b_stride, c + i * c_stride, c_stride);
  for (; i < rows; ++i) tile<T, V, 1, kLanes>(inner, from(i), b, b_stride, c + i * c_stride, c_stride);
}

}  // namespace

namespace plain {

template <class T>
void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                  std::ptrdiff_t c_stride) {
  using V = Lanes<T>;
  constexpr int kWide = sizeof(V) / sizeof(T);
  const auto [rows, inner, columns] = extents;
  int j = 0;
  for (; j + 2 * kWide <= columns; j += 2 * kWide)
    strip<T, V, 2>(rows, inner, a, b + j, b_stride, c + j, c_stride);
  for (; j < columns; ++j) strip<T, T, 1>(rows, inner, a, b + j, b_stride, c + j, c_stride);
}

template <class T>
T dot(const T* a, const T* b, int count) {
  using V = Lanes<T>;
  constexpr int kWide = sizeof(V) / sizeof(T);
  V first{};
  V second{};
  int k = 0;
  for (; k + 2 * kWide <= count; k += 2 * kWide) {
    first += load<V>(a + k) * load<V>(b + k);
    second += load<V>(a + k + kWide) * load<V>(b + k + kWide);
  }
  first += second;
  T sum = 0;
  for (int lane = 0; lane < kWide; ++lane) sum += first[lane];
  for (; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace plain

template <class T>
void multiply_add(ProductExtents extents, LeftMatrix<T> a, const T* b, std::ptrdiff_t b_stride, T* c,
                  std::ptrdiff_t c_stride) {
  if constexpr (std::is_same_v<T, float>) {
    if (const DenseSimd* simd = dense_simd()) return simd->multiply_add(extents, a, b, b_stride, c, c_stride);
  }
  plain::multiply_add(extents, a, b, b_stride, c, c_stride);
}

template <class T>
T dot(const T* a, const T* b, int count) {
  if constexpr (std::is_same_v<T, float>) {
    if (const DenseSimd* simd = dense_simd()) return simd->dot(a, b, count);
  }
  return plain::dot(a, b, count);
}

#define LONGTAKE_INSTANTIATE(T)                                                                            \
  template void multiply_add(ProductExtents, LeftMatrix<T>, const T*, std::ptrdiff_t, T*, std::ptrdiff_t); \
  template T dot(const T*, const T*, int);                                                                 \
  namespace plain {                                                                                        \
  template void multiply_add(ProductExtents, LeftMatrix<T>, const T*, std::ptrdiff_t, T*, std::ptrdiff_t); \
  template T dot(const T*, const T*, int);                                                                 \
  }
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
