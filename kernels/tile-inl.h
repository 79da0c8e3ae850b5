// Products of small row-major float matrices in registers; the vector form of dense.h, with its rule: an entry is
// its starting value plus the products in ascending order of the inner index, each added with one rounding, whatever
// lies around it.
//
// Included once per Highway target.
#if defined(LONGTAKE_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_TILE_INL_H
#undef LONGTAKE_TILE_INL_H
#else
#define LONGTAKE_TILE_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include <hwy/highway.h>

#include "kernels/dense.h"

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

// Starting values: row i of them is data + i · stride; a stride of 0 gives every row the same.
struct Rows {
  const float* data;
  std::ptrdiff_t stride;
};
struct OutRows {
  float* data;
  std::ptrdiff_t stride;
  operator Rows() const { return {data, stride}; }
};

// The last vector of a strip of columns may be cut short.
template <bool kCut>
HWY_INLINE Vec load_last(Mask last, const float* from) {
  return kCut ? hn::MaskedLoad(last, Floats(), from) : hn::LoadU(Floats(), from);
}
template <bool kCut>
HWY_INLINE void store_last(Vec v, Mask last, float* to) {
  if (kCut) {
    hn::BlendedStore(v, last, Floats(), to);
  } else {
    hn::StoreU(v, Floats(), to);
  }
}

// kR rows times kV vectors of C, held in registers over the whole inner extent.
//   kStride    the rows' distance in A if it is known, else 0: then addresses cost no registers
//   kTriangle  beyond `inner`, row i goes on for i + 1 more
template <int kR, int kV, bool kCut, int kStride, bool kTriangle>
HWY_INLINE void tile(int inner, LeftMatrix<float> a, const float* HWY_RESTRICT b, std::ptrdiff_t b_stride, Rows start,
                     OutRows c, Mask last) {
  const Floats d;
  const std::ptrdiff_t row_stride = kStride != 0 ? kStride : a.row_stride;
  Vec sum[kR][kV];
  HWY_UNROLL(16)
  for (int i = 0; i < kR; ++i) {
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) sum[i][j] = hn::LoadU(d, start.data + i * start.stride + j * kLanes);
    sum[i][kV - 1] = load_last<kCut>(last, start.data + i * start.stride + (kV - 1) * kLanes);
  }
  const float* HWY_RESTRICT left = a.data;
  for (int k = 0; k < inner; ++k) {
    Vec row[kV];
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) row[j] = hn::LoadU(d, b + j * kLanes);
    row[kV - 1] = load_last<kCut>(last, b + (kV - 1) * kLanes);
    HWY_UNROLL(16)
    for (int i = 0; i < kR; ++i) {
      const Vec factor = hn::Set(d, left[i * row_stride]);
      HWY_UNROLL(8)
      for (int j = 0; j < kV; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
    b += b_stride;
    left += a.inner_stride;
  }
  if (kTriangle) {
    HWY_UNROLL(16)
    for (int k = 0; k < kR; ++k) {
      Vec row[kV];
      HWY_UNROLL(8)
      for (int j = 0; j + 1 < kV; ++j) row[j] = hn::LoadU(d, b + j * kLanes);
      row[kV - 1] = load_last<kCut>(last, b + (kV - 1) * kLanes);
      HWY_UNROLL(16)
      for (int i = 0; i < kR; ++i) {
        if (i < k) continue;
        const Vec factor = hn::Set(d, left[i * row_stride]);
        HWY_UNROLL(8)
        for (int j = 0; j < kV; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
      }
      b += b_stride;
      left += a.inner_stride;
    }
  }
  HWY_UNROLL(16)
  for (int i = 0; i < kR; ++i) {
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) hn::StoreU(sum[i][j], d, c.data + i * c.stride + j * kLanes);
    store_last<kCut>(sum[i][kV - 1], last, c.data + i * c.stride + (kV - 1) * kLanes);
  }
}

// Enough independent sums to hide the latency of an FMA, few enough to stay in registers.
constexpr int tallest(int vectors) {
  if (kManyRegisters) return vectors == 1 ? 16 : vectors == 2 ? 8 : vectors == 4 ? 4 : 2;
  return vectors == 1 ? 8 : vectors == 2 ? 6 : vectors == 4 ? 2 : 1;
}

// All rows of one strip of kV vectors of columns.
template <int kV, bool kCut, bool kTriangle>
void strip(int rows, int inner, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride, Rows start, OutRows c,
           Mask last) {
  constexpr int kTall = tallest(kV);
  const auto run = [&]<int kR, int kStride = 0>(int i) HWY_ATTR {
    tile<kR, kV, kCut, kStride, kTriangle>(kTriangle ? inner + i : inner,
                                           {a.data + i * a.row_stride, a.row_stride, a.inner_stride}, b, b_stride,
                                           {start.data + i * start.stride, start.stride},
                                           {c.data + i * c.stride, c.stride}, last);
  };
  int i = 0;
  for (; i + kTall <= rows; i += kTall) {
    // Sixteen row addresses do not fit in registers; as constants they are part of the instructions.
    if constexpr (kTall == 16) {
      switch (a.row_stride) {
        case 16: run.template operator()<kTall, 16>(i); continue;
        case 32: run.template operator()<kTall, 32>(i); continue;
        case 64: run.template operator()<kTall, 64>(i); continue;
        case 128: run.template operator()<kTall, 128>(i); continue;
        case 256: run.template operator()<kTall, 256>(i); continue;
        case 512: run.template operator()<kTall, 512>(i); continue;
      }
    }
    run.template operator()<kTall>(i);
  }
  if constexpr (kTall >= 16) {
    for (; i + 8 <= rows; i += 8) run.template operator()<8>(i);
  }
  switch (rows - i) {
    case 7: if constexpr (kTall > 7) run.template operator()<7>(i); break;
    case 6: if constexpr (kTall > 6) run.template operator()<6>(i); break;
    case 5: if constexpr (kTall > 5) run.template operator()<5>(i); break;
    case 4: if constexpr (kTall > 4) run.template operator()<4>(i); break;
    case 3: if constexpr (kTall > 3) run.template operator()<3>(i); break;
    case 2: if constexpr (kTall > 2) run.template operator()<2>(i); break;
    case 1: if constexpr (kTall > 1) run.template operator()<1>(i); break;
    default: break;
  }
}

// C = start + A · B; with kTriangle row i of A ends after inner + i + 1 entries.
template <bool kTriangle = false>
void product(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride, Rows start,
             OutRows c) {
  const auto [rows, inner, columns] = extents;
  const Mask all = hn::FirstN(Floats(), kLanes);
  int j = 0;
  const auto strips = [&]<int kV>() HWY_ATTR {
    for (; j + kV * kLanes <= columns; j += kV * kLanes) {
      strip<kV, false, kTriangle>(rows, inner, a, b + j, b_stride, {start.data + j, start.stride},
                                  {c.data + j, c.stride}, all);
    }
  };
  // Few rows need wide strips to have enough sums under way.
  if (rows <= tallest(8)) strips.template operator()<8>();
  if (rows <= tallest(4)) strips.template operator()<4>();
  strips.template operator()<2>();
  strips.template operator()<1>();
  if (j < columns) {
    strip<1, true, kTriangle>(rows, inner, a, b + j, b_stride, {start.data + j, start.stride},
                              {c.data + j, c.stride}, hn::FirstN(Floats(), static_cast<std::size_t>(columns - j)));
  }
}

// Rows of `to` are columns of `from`: to[c][r] = from[r][c].
//   Whole blocks go through 4 x 4 blocks inside 128-bit lanes, which come from memory already in place.
inline void transpose(int rows, int columns, Rows from, OutRows to) {
  const Floats d;
  const hn::CappedTag<float, 4> quad;
  int r = 0;
  for (; r + kLanes <= rows; r += kLanes) {
    int c = 0;
    for (; c + 4 <= columns; c += 4) {
      Vec v[4];
      HWY_UNROLL(4)
      for (int i = 0; i < 4; ++i) {
        const float* const at = from.data + (r + i) * from.stride + c;
        const auto part = [&](int block) HWY_ATTR { return hn::LoadU(quad, at + 4 * block * from.stride); };
#if HWY_MAX_BYTES == 64
        const hn::CappedTag<float, 8> half;
        v[i] = hn::Combine(d, hn::Combine(half, part(3), part(2)), hn::Combine(half, part(1), part(0)));
#elif HWY_MAX_BYTES == 32
        v[i] = hn::Combine(d, part(1), part(0));
#else
        v[i] = part(0);
#endif
      }
      const hn::Repartition<double, Floats> pairs;
      const auto low = [&](Vec a, Vec b) HWY_ATTR { return hn::BitCast(pairs, hn::InterleaveLower(d, a, b)); };
      const auto high = [&](Vec a, Vec b) HWY_ATTR { return hn::BitCast(pairs, hn::InterleaveUpper(d, a, b)); };
      const auto low01 = low(v[0], v[1]), low23 = low(v[2], v[3]);
      const auto high01 = high(v[0], v[1]), high23 = high(v[2], v[3]);
      float* const out = to.data + c * to.stride + r;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, out);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, out + to.stride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, out + 2 * to.stride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, out + 3 * to.stride);
    }
    for (; c < columns; ++c) {
      for (int i = r; i < r + kLanes; ++i) to.data[c * to.stride + i] = from.data[i * from.stride + c];
    }
  }
  for (; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) to.data[c * to.stride + r] = from.data[r * from.stride + c];
  }
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
