// One source, compiled once per Highway target, and the plain loops.
#include "kernels/swiglu.h"

#include <cmath>

#include "kernels/isa.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/swiglu.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

// 1 / (1 + e^−x). NaN stays NaN.
HWY_INLINE Vec logistic_of(Vec x) {
  const Floats d;
  const Vec one = hn::Set(d, 1.0f);
  // Beyond, e^−x is as good as infinite.
  const Vec power = hn::Min(hn::Set(d, 88.0f), hn::Neg(x));
  return hn::Div(one, hn::Add(one, hn::Exp(d, power)));
}

void swiglu_simd(const float* gate, const float* up, float* out, std::size_t count) {
  Row(static_cast<int>(count)).for_each([&](int i, auto part) HWY_ATTR {
    const Vec g = part.load(gate + i);
    part.store(hn::Mul(hn::Mul(g, logistic_of(g)), part.load(up + i)), out + i);
  });
}

void swiglu_back_simd(const float* gate, const float* up, const float* d, float* out, float* d_gate, float* d_up,
                      std::size_t count) {
  const Vec one = hn::Set(Floats(), 1.0f);
  Row(static_cast<int>(count)).for_each([&](int i, auto part) HWY_ATTR {
    const Vec g = part.load(gate + i), u = part.load(up + i), d_out = part.load(d + i);
    const Vec s = logistic_of(g);
    const Vec open = hn::Mul(g, s);
    // silu' = s (1 + g (1 − s))
    const Vec slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(one, s), one));
    part.store(hn::Mul(open, u), out + i);
    part.store(hn::Mul(d_out, open), d_up + i);
    part.store(hn::Mul(hn::Mul(d_out, u), slope), d_gate + i);
  });
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace longtake {
namespace plain {

template <class T>
void swiglu(const T* gate, const T* up, T* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = gate[i] * (1 / (1 + std::exp(-gate[i]))) * up[i];
}

template <class T>
void swiglu_back(const T* gate, const T* up, const T* d, T* out, T* d_gate, T* d_up, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const T s = 1 / (1 + std::exp(-gate[i]));
    out[i] = gate[i] * s * up[i];
    d_up[i] = d[i] * gate[i] * s;
    d_gate[i] = d[i] * up[i] * s * (1 + gate[i] * (1 - s));
  }
}

template void swiglu(const float*, const float*, float*, std::size_t);
template void swiglu(const double*, const double*, double*, std::size_t);
template void swiglu_back(const float*, const float*, const float*, float*, float*, float*, std::size_t);
template void swiglu_back(const double*, const double*, const double*, double*, double*, double*, std::size_t);

}  // namespace plain

template <>
void swiglu(const float* gate, const float* up, float* out, std::size_t count) {
  switch (isa_in_use()) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512: return N_AVX3::swiglu_simd(gate, up, out, count);
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2: return N_AVX2::swiglu_simd(gate, up, out, count);
#endif
#if HWY_TARGETS & HWY_NEON
    case Isa::kNeon: return N_NEON::swiglu_simd(gate, up, out, count);
#endif
    default: return plain::swiglu(gate, up, out, count);
  }
}
template <>
void swiglu(const double* gate, const double* up, double* out, std::size_t count) {
  plain::swiglu(gate, up, out, count);
}

template <>
void swiglu_back(const float* gate, const float* up, const float* d, float* out, float* d_gate, float* d_up,
                 std::size_t count) {
  switch (isa_in_use()) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512: return N_AVX3::swiglu_back_simd(gate, up, d, out, d_gate, d_up, count);
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2: return N_AVX2::swiglu_back_simd(gate, up, d, out, d_gate, d_up, count);
#endif
#if HWY_TARGETS & HWY_NEON
    case Isa::kNeon: return N_NEON::swiglu_back_simd(gate, up, d, out, d_gate, d_up, count);
#endif
    default: return plain::swiglu_back(gate, up, d, out, d_gate, d_up, count);
  }
}
template <>
void swiglu_back(const double* gate, const double* up, const double* d, double* out, double* d_gate, double* d_up,
                 std::size_t count) {
  plain::swiglu_back(gate, up, d, out, d_gate, d_up, count);
}

}  // namespace longtake
#endif  // HWY_ONCE
