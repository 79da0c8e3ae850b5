#include "kernels/fma_loop.h"

#include "kernels/lanes.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fma_loop.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

// Twelve sums: more than two FMA units of latency four or five keep busy, fewer than there are registers.
std::int64_t fma_loop(std::int64_t flop, volatile float* sink) {
  const Floats d;
  const std::int64_t steps = flop / (12 * 2 * kLanes) + 1;
  const Vec factor = hn::Set(d, 0.999f), term = hn::Set(d, 1e-3f);
  Vec a = hn::Iota(d, 0), b = hn::Iota(d, 1), c = hn::Iota(d, 2), e = hn::Iota(d, 3), f = hn::Iota(d, 4),
      g = hn::Iota(d, 5), h = hn::Iota(d, 6), i = hn::Iota(d, 7), j = hn::Iota(d, 8), k = hn::Iota(d, 9),
      l = hn::Iota(d, 10), m = hn::Iota(d, 11);
  for (std::int64_t step = 0; step < steps; ++step) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::MulAdd(h, factor, term);
    i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term);
    k = hn::MulAdd(k, factor, term);
    l = hn::MulAdd(l, factor, term);
    m = hn::MulAdd(m, factor, term);
  }
  Vec all = hn::Zero(d);
  for (const Vec part : {a, b, c, e, f, g, h, i, j, k, l, m}) all = hn::Add(all, part);
  *sink = hn::GetLane(hn::SumOfLanes(d, all));
  return steps * 12 * 2 * kLanes;
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace longtake {
namespace {

std::int64_t plain_loop(std::int64_t flop, volatile float* sink) {
  constexpr int kSums = 10;
  const std::int64_t steps = flop / (kSums * 2 * 4) + 1;
  const Lanes<float> factor = Lanes<float>{} + 0.999f, term = Lanes<float>{} + 1e-3f;
  Lanes<float> sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = Lanes<float>{} + float(i);
  for (std::int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 10
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * factor + term;
  }
  for (int i = 1; i < kSums; ++i) sums[0] += sums[i];
  *sink = sums[0][0];
  return steps * kSums * 2 * 4;
}

}  // namespace

std::int64_t run_fma_loop(Isa isa, std::int64_t flop) {
  volatile float sink = 0;
  switch (isa) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512: return N_AVX3::fma_loop(flop, &sink);
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2: return N_AVX2::fma_loop(flop, &sink);
#endif
#if HWY_TARGETS & HWY_NEON
    case Isa::kNeon: return N_NEON::fma_loop(flop, &sink);
#endif
    default: return plain_loop(flop, &sink);
  }
}

}  // namespace longtake
#endif  // HWY_ONCE
