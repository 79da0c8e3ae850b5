// dense.h and gelu.h for floats in vector registers. One source, compiled once per Highway target.
#include "kernels/dense_simd.h"

#include "kernels/isa.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_simd.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include "kernels/gelu-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD
namespace {

void multiply_add(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride,
                  float* c, std::ptrdiff_t c_stride) {
  product(extents, a, b, b_stride, {c, c_stride}, {c, c_stride});
}

float dot(const float* a, const float* b, int count) {
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

void gelu(float* x, float* slope, std::size_t count) {
  const Floats d;
  Vec derivative;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vec in = hn::LoadU(d, x + i);
    hn::StoreU(slope == nullptr ? gelu_of<false>(in, nullptr) : gelu_of<true>(in, &derivative), d, x + i);
    if (slope != nullptr) hn::StoreU(derivative, d, slope + i);
  }
  if (i == count) return;
  const Mask rest = hn::FirstN(d, count - i);
  const Vec out = gelu_of<true>(hn::MaskedLoad(rest, d, x + i), &derivative);
  hn::BlendedStore(out, rest, d, x + i);
  if (slope != nullptr) hn::BlendedStore(derivative, rest, d, slope + i);
}

}  // namespace

DenseSimd dense() { return {multiply_add, dot, gelu}; }
#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace longtake {

const DenseSimd* dense_simd() {
  switch (isa_in_use()) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512: {
      static const DenseSimd dense = N_AVX3::dense();
      return &dense;
    }
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2: {
      static const DenseSimd dense = N_AVX2::dense();
      return &dense;
    }
#endif
#if HWY_TARGETS & HWY_NEON
    case Isa::kNeon: {
      static const DenseSimd dense = N_NEON::dense();
      return &dense;
    }
#endif
    default:
      return nullptr;
  }
}

}  // namespace longtake
#endif  // HWY_ONCE
