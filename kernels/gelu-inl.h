// gelu of gelu.h and its derivatives, in vectors of floats. Included once per Highway target.
#if defined(LONGTAKE_GELU_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_GELU_INL_H
#undef LONGTAKE_GELU_INL_H
#else
#define LONGTAKE_GELU_INL_H
#endif

#include <type_traits>

#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

// gelu(x) = x s with s = ½ (1 + tanh …), which is a function of its own: s − ½ is odd and within 5e-8 of ½
// beyond |x| = 5. This is x P(x²) / Q(x²), P of degree 4 and Q of degree 5, the best in the largest absolute
// error up to 5 (4e-8; in floats 2e-7). Beyond, x² stays at 25 and the quotient grows with x past ½, where it
// is cut off: s is exactly 0 or 1 there, because gelu' multiplies s (1 − s) by x³. NaN stays NaN.
//   gelu' goes to `slope` and gelu'' to `curve` from kDerivatives 1 and 2 on.
//   kN vectors go through it side by side: one alone is a chain of twenty steps, each of which waits for the last.
template <int kDerivatives, int kN>
HWY_INLINE void gelu_of(Vec (&x)[kN], Vec (&slope)[kN], Vec (&curve)[kN]) {
  const Floats d;
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(d, value); };
  const auto all = [](auto step) HWY_ATTR {
    HWY_UNROLL(4)
    for (int i = 0; i < kN; ++i) step(i);
  };
  const Vec one = constant(1.0f);
  constexpr float kP[] = {0.3989420235157013f, 0.036817435175180435f, 0.0036890471819788218f, 0.00016492180293425918f,
                          4.511357019509887e-06f};
  constexpr float kQ[] = {1.0f,
                          0.2597755193710327f,
                          0.02719210274517536f,
                          0.0014358611078932881f,
                          7.28062805137597e-05f,
                          4.379772917673108e-07f};
  Vec u[kN], p[kN], q[kN], s[kN];
  all([&](int i) HWY_ATTR { u[i] = hn::Min(constant(25.0f), hn::Mul(x[i], x[i])); });
  all([&](int i) HWY_ATTR { p[i] = constant(kP[4]), q[i] = hn::MulAdd(constant(kQ[5]), u[i], constant(kQ[4])); });
  HWY_UNROLL(4)
  for (int c = 3; c >= 0; --c) {
    all([&](int i) HWY_ATTR { q[i] = hn::MulAdd(q[i], u[i], constant(kQ[c])); });
    all([&](int i) HWY_ATTR { p[i] = hn::MulAdd(p[i], u[i], constant(kP[c])); });
  }
  all([&](int i) HWY_ATTR { s[i] = hn::ApproximateReciprocal(q[i]); });
  all([&](int i) HWY_ATTR { p[i] = hn::Mul(x[i], p[i]); });
  // A Newton step, which brings 1 / q to a unit in the last place or two at a third of the price of a division.
  all([&](int i) HWY_ATTR { q[i] = hn::NegMulAdd(q[i], s[i], one); });
  all([&](int i) HWY_ATTR { q[i] = hn::MulAdd(s[i], q[i], s[i]); });
  all([&](int i) HWY_ATTR { s[i] = hn::MulAdd(p[i], q[i], constant(0.5f)); });
  all([&](int i) HWY_ATTR { s[i] = hn::Max(hn::Zero(d), s[i]); });
  all([&](int i) HWY_ATTR { s[i] = hn::Min(one, s[i]); });
  if constexpr (kDerivatives >= 1) {
    // gelu' = s + x s',  s' = 2 s (1 − s) y',  y' = √(2/π) (1 + 3 · 0.044715 x²)
    Vec rest[kN], inner[kN];
    all([&](int i) HWY_ATTR { rest[i] = hn::NegMulAdd(s[i], s[i], s[i]); });
    all([&](int i) HWY_ATTR { inner[i] = hn::MulAdd(u[i], constant(0.21406445f), constant(1.5957691216f)); });  // 2 y'
    all([&](int i) HWY_ATTR { p[i] = hn::Mul(x[i], rest[i]); });
    all([&](int i) HWY_ATTR { slope[i] = hn::MulAdd(p[i], inner[i], s[i]); });
    if constexpr (kDerivatives >= 2) {
      // gelu'' = 2 s' + x s'',  s'' = 2 s (1 − s) (y'' + 2 (1 − 2 s) y'²),  x y'' = 6 √(2/π) 0.044715 x²
      all([&](int i) HWY_ATTR {
        const Vec turn = hn::Mul(hn::Mul(p[i], hn::NegMulAdd(s[i], constant(2.0f), one)), hn::Mul(inner[i], inner[i]));
        const Vec bend = hn::MulAdd(u[i], constant(0.4281289f), hn::Mul(inner[i], constant(2.0f)));
        curve[i] = hn::MulAdd(rest[i], bend, turn);
      });
    }
  }
  all([&](int i) HWY_ATTR { x[i] = hn::Mul(x[i], s[i]); });
}

// x ← gelu(x), with the derivatives that are wanted; the other pointers are not looked at. Adds the squares
// of what comes out to `squares`, whose lanes together are their sum: cheaper here than later.
template <int kDerivatives>
HWY_INLINE Vec gelu_in_place(float* x, float* slope, float* curve, std::size_t count, Vec squares) {
  const Floats d;
  const auto vectors = [&]<int kN>(std::size_t at, std::integral_constant<int, kN>) HWY_ATTR {
    Vec out[kN], first[kN], second[kN];
    HWY_UNROLL(4)
    for (int i = 0; i < kN; ++i) out[i] = hn::LoadU(d, x + at + i * kLanes);
    gelu_of<kDerivatives>(out, first, second);
    HWY_UNROLL(4)
    for (int i = 0; i < kN; ++i) {
      hn::StoreU(out[i], d, x + at + i * kLanes);
      if constexpr (kDerivatives >= 1) hn::StoreU(first[i], d, slope + at + i * kLanes);
      if constexpr (kDerivatives >= 2) hn::StoreU(second[i], d, curve + at + i * kLanes);
      squares = hn::MulAdd(out[i], out[i], squares);
    }
  };
  constexpr int kSide = kManyRegisters ? 4 : 2;
  std::size_t at = 0;
  for (; at + kSide * kLanes <= count; at += kSide * kLanes) vectors(at, std::integral_constant<int, kSide>());
  for (; at + kLanes <= count; at += kLanes) vectors(at, std::integral_constant<int, 1>());
  if (at == count) return squares;
  const Mask rest = hn::FirstN(d, count - at);
  Vec out[1] = {hn::MaskedLoad(rest, d, x + at)}, first[1], second[1];
  gelu_of<kDerivatives>(out, first, second);
  hn::BlendedStore(out[0], rest, d, x + at);
  if constexpr (kDerivatives >= 1) hn::BlendedStore(first[0], rest, d, slope + at);
  if constexpr (kDerivatives >= 2) hn::BlendedStore(second[0], rest, d, curve + at);
  return hn::MulAdd(out[0], out[0], squares);
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
