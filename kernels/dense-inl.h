// dense.h and gelu.h for floats in vector registers. Included once per Highway target.
#if defined(LONGTAKE_DENSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_DENSE_INL_H
#undef LONGTAKE_DENSE_INL_H
#else
#define LONGTAKE_DENSE_INL_H
#endif

#include "kernels/gelu-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

struct Dense {
  static void multiply_add(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride,
                    float* c, std::ptrdiff_t c_stride) {
    product(extents, a, b, b_stride, {c, c_stride}, {c, c_stride});
  }

  static float dot(const float* a, const float* b, int count) {
    const Floats d;
    Vec sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    int i = 0;
    for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
      HWY_UNROLL(4)
      for (int j = 0; j < 4; ++j) {
        sums[j] = hn::MulAdd(hn::LoadU(d, a + i + j * kLanes), hn::LoadU(d, b + i + j * kLanes), sums[j]);
      }
    }
    for (; i + kLanes <= count; i += kLanes)
      sums[0] = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums[0]);
    if (i < count) {
      const Mask rest = hn::FirstN(d, static_cast<std::size_t>(count - i));
      sums[1] = hn::MulAdd(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i), sums[1]);
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
  }

  static void gelu(float* x, float* slope, std::size_t count) {
    const Floats d;
    Vec derivative;
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      const Vec in = hn::LoadU(d, x + i);
      hn::StoreU(slope == nullptr ? gelu_of<0>(in, nullptr, nullptr) : gelu_of<1>(in, &derivative, nullptr), d, x + i);
      if (slope != nullptr) hn::StoreU(derivative, d, slope + i);
    }
    if (i == count) return;
    const Mask rest = hn::FirstN(d, count - i);
    const Vec out = gelu_of<1>(hn::MaskedLoad(rest, d, x + i), &derivative, nullptr);
    hn::BlendedStore(out, rest, d, x + i);
    if (slope != nullptr) hn::BlendedStore(derivative, rest, d, slope + i);
  }

  // With gelu''(x) in `curve`.
  static void gelu(float* x, float* slope, float* curve, std::size_t count) {
    const Floats d;
    Vec derivative, second;
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      hn::StoreU(gelu_of<2>(hn::LoadU(d, x + i), &derivative, &second), d, x + i);
      hn::StoreU(derivative, d, slope + i);
      hn::StoreU(second, d, curve + i);
    }
    if (i == count) return;
    const Mask rest = hn::FirstN(d, count - i);
    hn::BlendedStore(gelu_of<2>(hn::MaskedLoad(rest, d, x + i), &derivative, &second), rest, d, x + i);
    hn::BlendedStore(derivative, rest, d, slope + i);
    hn::BlendedStore(second, rest, d, curve + i);
  }
};

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
