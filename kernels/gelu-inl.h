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

// gelu(x) = x s with s = ½ (1 + tanh …), which is a function of its own: s − ½ is odd and within 5e-8 of ½
// beyond |x| = 5. This is x P(x²) / Q(x²), P of degree 4 and Q of degree 5, the best in the largest absolute
// error up to 5 (4e-8; in floats 2e-7). Beyond, x² stays at 25 and the quotient grows with x past ½, where it
// is cut off: s is exactly 0 or 1 there, because gelu' multiplies s (1 − s) by x³. NaN stays NaN.
// gelu' goes to `slope` and gelu'' to `curve` from kDerivatives 1 and 2 on.
template <int kDerivatives>
HWY_INLINE Vec gelu_of(Vec x, Vec* slope, Vec* curve) {
  const Floats d;
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(d, value); };
  const Vec u = hn::Min(constant(25.0f), hn::Mul(x, x));
  Vec p = hn::MulAdd(constant(4.511357019509887e-06f), u, constant(0.00016492180293425918f));
  p = hn::MulAdd(p, u, constant(0.0036890471819788218f));
  p = hn::MulAdd(p, u, constant(0.036817435175180435f));
  p = hn::MulAdd(p, u, constant(0.3989420235157013f));
  Vec q = hn::MulAdd(constant(4.379772917673108e-07f), u, constant(7.28062805137597e-05f));
  q = hn::MulAdd(q, u, constant(0.0014358611078932881f));
  q = hn::MulAdd(q, u, constant(0.02719210274517536f));
  q = hn::MulAdd(q, u, constant(0.2597755193710327f));
  q = hn::MulAdd(q, u, constant(1.0f));
  const Vec one = constant(1.0f);
  const Vec open = hn::MulAdd(hn::Mul(x, p), reciprocal(q), constant(0.5f));
  const Vec s = hn::Min(one, hn::Max(hn::Zero(d), open));
  if (kDerivatives >= 1) {
    // gelu' = s + x s',  s' = 2 s (1 − s) y',  y' = √(2/π) (1 + 3 · 0.044715 x²)
    const Vec rest = hn::NegMulAdd(s, s, s);
    const Vec x_rest = hn::Mul(x, rest);
    const Vec inner = hn::MulAdd(u, constant(0.21406445f), constant(1.5957691216f));  // 2 y'
    *slope = hn::MulAdd(x_rest, inner, s);
    if (kDerivatives >= 2) {
      // gelu'' = 2 s' + x s'',  s'' = 2 s (1 − s) (y'' + 2 (1 − 2 s) y'²),  x y'' = 6 √(2/π) 0.044715 x²
      const Vec turn = hn::Mul(hn::Mul(x_rest, hn::NegMulAdd(s, constant(2.0f), one)), hn::Mul(inner, inner));
      const Vec bend = hn::MulAdd(u, constant(0.4281289f), hn::Mul(inner, constant(2.0f)));
      *curve = hn::MulAdd(rest, bend, turn);
    }
  }
  return hn::Mul(x, s);
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
