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

// gelu(x) = x s with s = ½ (1 + tanh …), the logistic function of 2 √(2/π) (x + 0.044715 x³). Its values beyond |x| = 5
// are within 5e-8 of 0 or 1 and are taken for that exactly, because gelu' multiplies s (1 − s) by x³. NaN stays NaN.
//   logistic() gives s and u, which is x² but no more than about 25.
//   kN vectors go through it side by side: one alone is a chain of steps, each of which waits for the last.
#if HWY_TARGET <= HWY_AVX3
// A polynomial of degree 4 in x for each 1 / kGeluPerUnit of the axis, from a table in registers: s is within 1.7e-7 in
// floats (tests/bench/gelu_table.py finds the numbers). The nearest whole number to x kGeluPerUnit, modulo 32, is the
// place in the table; the lower half of it comes from s(−x) = 1 − s(x).
inline constexpr float kGeluPerUnit = 2.9f;
struct GeluTable {
  alignas(64) float of_power[5][32];
  constexpr GeluTable() : of_power{} {
    constexpr float kUpper[5][16] = {
        {0.5f, 0.500027418f, 0.500427723f, 0.497577727f, 0.475767255f, 0.423027903f, 0.360919207f, 0.339235514f,
         0.39663592f, 0.529776216f, 0.695193768f, 0.839424014f, 0.932689905f, 0.97797066f, 0.994465709f, 1.0f},
        {0.39893949f, 0.398475438f, 0.395284623f, 0.407470673f, 0.47849527f, 0.614284933f, 0.746456981f, 0.786808252f,
         0.699228346f, 0.517885327f, 0.315555215f, 0.155595526f, 0.0610000193f, 0.0186919589f, 0.00440554461f, 0.0f},
        {0.0f, 0.00308116688f, 0.0128247961f, -0.00672617601f, -0.0937877446f, -0.225226432f, -0.330877393f,
         -0.359026819f, -0.308882803f, -0.216193974f, -0.123336263f, -0.0567788295f, -0.0207862966f, -0.00595783209f,
         -0.00131660269f, 0.0f},
        {-0.0664419085f, -0.0767292008f, -0.0902257189f, -0.0762754604f, -0.0286585763f, 0.0280296635f, 0.0656244606f,
         0.0743495077f, 0.0615806207f, 0.040510051f, 0.0215587337f, 0.00924473722f, 0.00315591833f, 0.00084535568f,
         0.000175059613f, 0.0f},
        {0.0f, 0.0157409273f, 0.0228805654f, 0.0191451907f, 0.00933977775f, 0.000148315434f, -0.00487627834f,
         -0.00589013193f, -0.00466994243f, -0.00287247216f, -0.00142123818f, -0.000566506234f, -0.0001800998f,
         -4.5048193e-05f, -8.73736371e-06f, 0.0f},
    };
    for (int power = 0; power < 5; ++power) {
      for (int i = 0; i < 16; ++i) {
        const float value = kUpper[power][i];
        of_power[power][i] = value;
        if (i > 0) of_power[power][32 - i] = power == 0 ? 1 - value : power % 2 != 0 ? value : -value;
      }
    }
  }
};
alignas(64) inline constexpr GeluTable kGeluTable;

template <int kN, class All>
HWY_INLINE void logistic(const Vec (&x)[kN], Vec (&u)[kN], Vec (&s)[kN], All all) {
  const Floats d;
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(d, value); };
  const auto entry = [](int power, Vec place) HWY_ATTR {
    const float* const row = kGeluTable.of_power[power];
    return Vec{_mm512_permutex2var_ps(_mm512_load_ps(row), _mm512_castps_si512(place.raw), _mm512_load_ps(row + 16))};
  };
  constexpr float kEnd = 15 / kGeluPerUnit;
  Vec held[kN], place[kN];
  all([&](int i) HWY_ATTR { held[i] = hn::Min(constant(kEnd), x[i]); });
  all([&](int i) HWY_ATTR { held[i] = hn::Max(constant(-kEnd), held[i]); });
  // In the last bits of so large a number stands the whole number nearest to the product.
  all([&](int i) HWY_ATTR { place[i] = hn::MulAdd(held[i], constant(kGeluPerUnit), constant(12582912.0f)); });
  all([&](int i) HWY_ATTR { s[i] = entry(4, place[i]); });
  HWY_UNROLL(4)
  for (int power = 3; power >= 0; --power) {
    all([&](int i) HWY_ATTR { s[i] = hn::MulAdd(s[i], held[i], entry(power, place[i])); });
  }
  all([&](int i) HWY_ATTR { u[i] = hn::Mul(held[i], held[i]); });
}
#else
// s − ½ is odd: x P(x²) / Q(x²), P of degree 4 and Q of degree 5, the best in the largest absolute error up to 5 (4e-8;
// in floats 2e-7). Beyond, x² stays at 25.
template <int kN, class All>
HWY_INLINE void logistic(const Vec (&x)[kN], Vec (&u)[kN], Vec (&s)[kN], All all) {
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(Floats(), value); };
  const Vec one = constant(1.0f);
  constexpr float kP[] = {0.3989420235157013f, 0.036817435175180435f, 0.0036890471819788218f, 0.00016492180293425918f,
                          4.511357019509887e-06f};
  constexpr float kQ[] = {1.0f,
                          0.2597755193710327f,
                          0.02719210274517536f,
                          0.0014358611078932881f,
                          7.28062805137597e-05f,
                          4.379772917673108e-07f};
  Vec p[kN], q[kN];
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
  all([&](int i) HWY_ATTR { s[i] = hn::Max(hn::Zero(Floats()), s[i]); });
  all([&](int i) HWY_ATTR { s[i] = hn::Min(one, s[i]); });
}
#endif

// x ← gelu(x); gelu' goes to `slope` and gelu'' to `curve` from kDerivatives 1 and 2 on.
template <int kDerivatives, int kN>
HWY_INLINE void gelu_of(Vec (&x)[kN], Vec (&slope)[kN], Vec (&curve)[kN]) {
  const Floats d;
  const auto constant = [&](float value) HWY_ATTR { return hn::Set(d, value); };
  const auto all = [](auto step) HWY_ATTR {
    HWY_UNROLL(4)
    for (int i = 0; i < kN; ++i) step(i);
  };
  Vec u[kN], s[kN];
  logistic(x, u, s, all);
  if constexpr (kDerivatives >= 1) {
    // gelu' = s + x s',  s' = 2 s (1 − s) y',  y' = √(2/π) (1 + 3 · 0.044715 x²)
    Vec rest[kN], inner[kN], p[kN];
    all([&](int i) HWY_ATTR { rest[i] = hn::NegMulAdd(s[i], s[i], s[i]); });
    all([&](int i) HWY_ATTR { inner[i] = hn::MulAdd(u[i], constant(0.21406445f), constant(1.5957691216f)); });  // 2 y'
    all([&](int i) HWY_ATTR { p[i] = hn::Mul(x[i], rest[i]); });
    all([&](int i) HWY_ATTR { slope[i] = hn::MulAdd(p[i], inner[i], s[i]); });
    if constexpr (kDerivatives >= 2) {
      // gelu'' = 2 s' + x s'',  s'' = 2 s (1 − s) (y'' + 2 (1 − 2 s) y'²),  x y'' = 6 √(2/π) 0.044715 x²
      all([&](int i) HWY_ATTR {
        const Vec turn =
            hn::Mul(hn::Mul(p[i], hn::NegMulAdd(s[i], constant(2.0f), constant(1.0f))), hn::Mul(inner[i], inner[i]));
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
