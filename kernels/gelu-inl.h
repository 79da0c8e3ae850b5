// gelu of gelu.h and its derivatives, in vectors of floats. Included once per Highway target.
#if defined(LONGTAKE_GELU_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_GELU_INL_H
#undef LONGTAKE_GELU_INL_H
#else
#define LONGTAKE_GELU_INL_H
#endif

#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

// 1 / x to a unit in the last place or two, at a third of the price of a division.
HWY_INLINE Vec reciprocal(Vec x) {
  const Vec guess = hn::ApproximateReciprocal(x);
  const Vec rest = hn::NegMulAdd(x, guess, hn::Set(Floats(), 1.0f));
  return hn::MulAdd(guess, rest, guess);
}

HWY_INLINE Vec tanh_of(Vec x) {
  const Floats d;
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(d, value); };
  const Vec x_end = hn::Min(constant(9.0f), hn::Max(constant(-9.0f), x));
  const Vec y = hn::Mul(x_end, x_end);
  // The quotient of gelu.cpp, see there.
  Vec p = hn::MulAdd(constant(1.264885555749117e-13f), y, constant(5.179706350792634e-10f));
  p = hn::MulAdd(p, y, constant(3.2286836253274086e-07f));
  p = hn::MulAdd(p, y, constant(6.625258799171843e-05f));
  p = hn::MulAdd(p, y, constant(0.0052173913043478265f));
  p = hn::MulAdd(p, y, constant(0.14666666666666667f));
  p = hn::MulAdd(p, y, constant(1.0f));
  Vec q = hn::MulAdd(constant(1.1510458557316966e-11f), y, constant(1.5193805295658393e-08f));
  q = hn::MulAdd(q, y, constant(5.230467473030402e-06f));
  q = hn::MulAdd(q, y, constant(0.0006625258799171842f));
  q = hn::MulAdd(q, y, constant(0.03188405797101449f));
  q = hn::MulAdd(q, y, constant(0.48f));
  q = hn::MulAdd(q, y, constant(1.0f));
  return hn::Mul(hn::Mul(x_end, p), reciprocal(q));
}

// gelu(x); gelu'(x) goes to `slope` with kSlope.
template <bool kSlope>
HWY_INLINE Vec gelu_of(Vec x, Vec* slope) {
  const Floats d;
  constexpr float kScale = 0.7978845608028654f;  // √(2/π)
  constexpr float kCubic = 0.044715f;
  const Vec square = hn::Mul(x, x);
  const Vec t = tanh_of(hn::Mul(x, hn::MulAdd(square, hn::Set(d, kScale * kCubic), hn::Set(d, kScale))));
  const Vec half = hn::MulAdd(t, hn::Set(d, 0.5f), hn::Set(d, 0.5f));
  const Vec out = hn::Mul(x, half);
  if (kSlope) {
    const Vec rest = hn::NegMulAdd(t, t, hn::Set(d, 1.0f));
    const Vec inner = hn::MulAdd(square, hn::Set(d, 1.5f * kScale * kCubic), hn::Set(d, 0.5f * kScale));
    *slope = hn::MulAdd(hn::Mul(x, rest), inner, half);
  }
  return out;
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
