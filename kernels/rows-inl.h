// Vectors of floats, rows of them, and sums along rows. Included once per Highway target.
#if defined(LONGTAKE_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_ROWS_INL_H
#undef LONGTAKE_ROWS_INL_H
#else
#define LONGTAKE_ROWS_INL_H
#endif

#include <cstddef>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Vec = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;
inline constexpr int kLanes = HWY_MAX_BYTES / sizeof(float);
inline constexpr bool kManyRegisters = HWY_TARGET != HWY_AVX2;  // 32, not 16

// A row of f numbers as vectors; the lanes beyond f are zero.
class Row {
 public:
  explicit Row(int f) : f_(f), whole_(f / kLanes * kLanes), last_(hn::FirstN(Floats(), std::size_t(f - whole_))) {}

  // each(offset, load, store) per vector; the two know how many lanes count.
  template <class Each>
  HWY_INLINE void for_each(Each each) const {
    for (int c = 0; c < whole_; c += kLanes) each(c, Whole{});
    if (whole_ < f_) each(whole_, Part{last_});
  }
  struct Whole {
    HWY_INLINE Vec load(const float* from) const { return hn::LoadU(Floats(), from); }
    HWY_INLINE void store(Vec v, float* to) const { hn::StoreU(v, Floats(), to); }
    HWY_INLINE Vec cut(Vec v) const { return v; }
  };
  struct Part {
    Mask mask;
    HWY_INLINE Vec load(const float* from) const { return hn::MaskedLoad(mask, Floats(), from); }
    HWY_INLINE void store(Vec v, float* to) const { hn::BlendedStore(v, mask, Floats(), to); }
    HWY_INLINE Vec cut(Vec v) const { return hn::IfThenElseZero(mask, v); }
  };

 private:
  int f_, whole_;
  Mask last_;
};

HWY_INLINE float sum(Vec v) { return hn::GetLane(hn::SumOfLanes(Floats(), v)); }
HWY_INLINE Vec sum_everywhere(Vec v) { return hn::SumOfLanes(Floats(), v); }
HWY_INLINE Vec set(float value) { return hn::Set(Floats(), value); }

// The sums of four vectors' lanes, side by side.
using Four = hn::CappedTag<float, 4>;
HWY_INLINE hn::Vec<Four> four_sums(Vec a, Vec b, Vec c, Vec d) {
  const Floats all;
  const hn::Repartition<double, Floats> pairs;
  const Vec ab = hn::Add(hn::InterleaveLower(all, a, b), hn::InterleaveUpper(all, a, b));
  const Vec cd = hn::Add(hn::InterleaveLower(all, c, d), hn::InterleaveUpper(all, c, d));
  const auto left = hn::BitCast(pairs, ab), right = hn::BitCast(pairs, cd);
  const Vec abcd = hn::Add(hn::BitCast(all, hn::InterleaveLower(pairs, left, right)),
                           hn::BitCast(all, hn::InterleaveUpper(pairs, left, right)));
#if HWY_MAX_BYTES == 64
  const hn::CappedTag<float, 8> half;
  const Four quarter;
  const auto eight = hn::Add(hn::LowerHalf(half, abcd), hn::UpperHalf(half, abcd));
  return hn::Add(hn::LowerHalf(quarter, eight), hn::UpperHalf(quarter, eight));
#elif HWY_MAX_BYTES == 32
  const Four half;
  return hn::Add(hn::LowerHalf(half, abcd), hn::UpperHalf(half, abcd));
#else
  return abcd;
#endif
}

// The sums of sixteen vectors' lanes, four by four as they stand; each is added up as by four_sums().
HWY_INLINE void sixteen_sums(const Vec (&v)[4][4], float* out) {
  const Floats all;
  const hn::Repartition<double, Floats> pairs;
  Vec row[4];  // in each 128-bit block, a part of the four sums of v[i]
  HWY_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
    const Vec ab = hn::Add(hn::InterleaveLower(all, v[i][0], v[i][1]), hn::InterleaveUpper(all, v[i][0], v[i][1]));
    const Vec cd = hn::Add(hn::InterleaveLower(all, v[i][2], v[i][3]), hn::InterleaveUpper(all, v[i][2], v[i][3]));
    const auto left = hn::BitCast(pairs, ab), right = hn::BitCast(pairs, cd);
    row[i] = hn::Add(hn::BitCast(all, hn::InterleaveLower(pairs, left, right)),
                     hn::BitCast(all, hn::InterleaveUpper(pairs, left, right)));
  }
#if HWY_MAX_BYTES >= 32
  const auto halves = [&](int i, int j) HWY_ATTR {
    return hn::Add(hn::ConcatLowerLower(all, row[j], row[i]), hn::ConcatUpperUpper(all, row[j], row[i]));
  };
#endif
#if HWY_MAX_BYTES == 64
  const Vec even = halves(0, 2), odd = halves(1, 3);
  hn::StoreU(hn::Add(hn::OddEvenBlocks(odd, even), hn::SwapAdjacentBlocks(hn::OddEvenBlocks(even, odd))), all, out);
#elif HWY_MAX_BYTES == 32
  hn::StoreU(halves(0, 1), all, out);
  hn::StoreU(halves(2, 3), all, out + 8);
#else
  for (int i = 0; i < 4; ++i) hn::StoreU(row[i], all, out + 4 * i);
#endif
}

// The lanes' sums of four vectors or of one, each added up in the same order.
template <int kR>
HWY_INLINE hn::Vec<Four> row_sums(const Vec (&v)[kR]) {
  static_assert(kR == 4 || kR == 1);
  if constexpr (kR == 4) return four_sums(v[0], v[1], v[2], v[3]);
  return four_sums(v[0], hn::Zero(Floats()), hn::Zero(Floats()), hn::Zero(Floats()));
}

// Σ v², also the test for anything that is not finite.
inline double square_sum(const float* values, std::size_t count) {
  const Floats d;
  Vec sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  std::size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    HWY_UNROLL(4)
    for (int j = 0; j < 4; ++j) {
      const Vec v = hn::LoadU(d, values + i + j * kLanes);
      sums[j] = hn::MulAdd(v, v, sums[j]);
    }
  }
  float rest = 0;
  for (; i < count; ++i) rest += values[i] * values[i];
  return double(sum(hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])))) + rest;
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
