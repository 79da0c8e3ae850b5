#include "kernels/gelu.h"

#include <cmath>
#include <numbers>

#include "kernels/dense_simd.h"
#include "kernels/lanes.h"

namespace longtake {
namespace {

// The library's tanh costs as much as all matrix products of a TTT-MLP together. This is the 13th convergent
// of the continued fraction x / (1 + x²/(3 + x²/(5 + …))), divided by its constant term. It is off by 4e-8 at
// 9, where tanh itself is 3e-8 short of 1, and by less below. All coefficients are positive, so nothing
// cancels. Beyond 9 it is exactly ±1, because gelu' multiplies what is left of 1 − t² by x³. NaN stays NaN. V
// is float or its lanes.
template <class V>
V quotient_tanh(V x) {
  const V one = V{} + 1.0f;
  const V end = V{} + 9.0f;
  const V square = x * x;
  const V y = square < end * end ? square : end * end;
  V p = one * 1.264885555749117e-13f;
  p = p * y + 5.179706350792634e-10f;
  p = p * y + 3.2286836253274086e-07f;
  p = p * y + 6.625258799171843e-05f;
  p = p * y + 0.0052173913043478265f;
  p = p * y + 0.14666666666666667f;
  p = p * y + 1.0f;
  V q = one * 1.1510458557316966e-11f;
  q = q * y + 1.5193805295658393e-08f;
  q = q * y + 5.230467473030402e-06f;
  q = q * y + 0.0006625258799171842f;
  q = q * y + 0.03188405797101449f;
  q = q * y + 0.48f;
  q = q * y + 1.0f;
  const V t = x * p / q;
  return x > end ? one : x < -end ? -one : t;
}

double tanh_of(double x) { return std::tanh(x); }
float tanh_of(float x) { return quotient_tanh(x); }
Lanes<float> tanh_of(Lanes<float> x) { return quotient_tanh(x); }

enum class Derivatives { kNone, kSlope, kCurve };

// sizeof(V) / sizeof(T) numbers.
template <class T, class V, Derivatives kWanted>
void gelu_step(T* x, [[maybe_unused]] T* slope, [[maybe_unused]] T* curve) {
  const T cubic = T(0.044715);
  const T scale = T(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);  // √(2/π)
  const V in = load<V>(x);
  const V square = in * in;
  const V t = tanh_of(scale * in * (T(1) + cubic * square));
  const V half = T(0.5) * (T(1) + t);
  // Bounded, for 1 − t² is 0 by then, and 0 · ∞ is no number.
  [[maybe_unused]] const V end = V{} + T(1e8);
  [[maybe_unused]] const V bounded = square < end ? square : end;
  if constexpr (kWanted != Derivatives::kNone) {
    store(slope, V(half + T(0.5) * in * (T(1) - t * t) * scale * (T(1) + T(3) * cubic * bounded)));
  }
  if constexpr (kWanted == Derivatives::kCurve) {
    const V p = scale * (T(1) + T(3) * cubic * bounded);  // of tanh's argument
    store(curve, V((T(1) - t * t) * (p + T(3) * scale * cubic * bounded - in * t * p * p)));
  }
  store(x, V(in * half));
}

template <class T, Derivatives kWanted>
void gelu_all(T* x, T* slope, T* curve, std::size_t count) {
  std::size_t i = 0;
  const auto from = [](T* all, std::size_t at) { return all == nullptr ? nullptr : all + at; };
  if constexpr (sizeof(T) == sizeof(float)) {
    for (; i + 4 <= count; i += 4) gelu_step<T, Lanes<T>, kWanted>(x + i, from(slope, i), from(curve, i));
  }
  for (; i < count; ++i) gelu_step<T, T, kWanted>(x + i, from(slope, i), from(curve, i));
}

}  // namespace

namespace plain {

template <class T>
void gelu(T* x, T* slope, std::size_t count) {
  if (slope == nullptr) {
    gelu_all<T, Derivatives::kNone>(x, nullptr, nullptr, count);
  } else {
    gelu_all<T, Derivatives::kSlope>(x, slope, nullptr, count);
  }
}

template <class T>
void gelu(T* x, T* slope, T* curve, std::size_t count) {
  gelu_all<T, Derivatives::kCurve>(x, slope, curve, count);
}

template void gelu(float*, float*, std::size_t);
template void gelu(double*, double*, std::size_t);
template void gelu(float*, float*, float*, std::size_t);
template void gelu(double*, double*, double*, std::size_t);

}  // namespace plain

template <>
void gelu(float* x, float* slope, std::size_t count) {
  if (const DenseSimd* simd = dense_simd()) return simd->gelu(x, slope, count);
  plain::gelu(x, slope, count);
}
template <>
void gelu(double* x, double* slope, std::size_t count) {
  plain::gelu(x, slope, count);
}

}  // namespace longtake
