// Products of small row-major float matrices in registers; the vector form of dense.h, with its rule: an
// entry is its starting value plus the products in ascending order of the inner index, each added with one
// rounding, whatever lies around it.
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
#include <type_traits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/dense.h"
#include "kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD
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
//   kStride    the rows' distance in A if it is known, else 0: as constants their addresses cost nothing. With 1, A is
//              a transposed matrix of any inner stride; with more its inner stride must be 1.
//   kTriangle  beyond `inner`, row i goes on for i + 1 more
//   kStep      the step of a TTT mini-batch of 16 tokens: `inner` is 16, and C, which comes from L2, is asked for one
//              tile ahead
template <int kR, int kV, bool kCut, int kStride, bool kTriangle, bool kStep = false>
HWY_INLINE void tile(int inner, LeftMatrix<float> a, const float* HWY_RESTRICT b, std::ptrdiff_t b_stride, Rows start,
                     OutRows c, Mask last) {
  const Floats d;
  const std::ptrdiff_t row_stride = kStride != 0 ? kStride : a.row_stride;
  const std::ptrdiff_t inner_stride = kStride > 1 ? 1 : a.inner_stride;
  Vec sum[kR][kV];
  HWY_UNROLL(16)
  for (int i = 0; i < kR; ++i) {
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) sum[i][j] = hn::LoadU(d, start.data + i * start.stride + j * kLanes);
    sum[i][kV - 1] = load_last<kCut>(last, start.data + i * start.stride + (kV - 1) * kLanes);
  }
  // One inner index, in the rows from `first` on.
  const auto add = [&](const float* left, const float* HWY_RESTRICT right, int first) HWY_ATTR {
    Vec row[kV];
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) row[j] = hn::LoadU(d, right + j * kLanes);
    row[kV - 1] = load_last<kCut>(last, right + (kV - 1) * kLanes);
    HWY_UNROLL(16)
    for (int i = 0; i < kR; ++i) {
      if (i < first) continue;
      const Vec factor = hn::Set(d, left[i * row_stride]);
      HWY_UNROLL(8)
      for (int j = 0; j < kV; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
  };
  const float* HWY_RESTRICT left = a.data;
  int k = 0;
  if (kStep) {
    for (; k < 16; k += 4) {
      HWY_UNROLL(4)
      for (int step = 0; step < 4; ++step) {
        hwy::Prefetch(c.data + (kR + (k + step) / kV) * c.stride + (k + step) % kV * kLanes);
        add(left + step * inner_stride, b, 0);
        b += b_stride;
      }
      left += 4 * inner_stride;
    }
  } else if (kStride != 0) {
    for (; k + 4 <= inner; k += 4) {  // the processor foresees the end of a short loop
      HWY_UNROLL(4)
      for (int step = 0; step < 4; ++step) {
        add(left + step * inner_stride, b, 0);
        b += b_stride;
      }
      left += 4 * inner_stride;
    }
  }
  for (; k < inner; ++k, left += inner_stride, b += b_stride) add(left, b, 0);
  if (kTriangle) {
    HWY_UNROLL(16)
    for (int i = 0; i < kR; ++i) {
      add(left, b, i);
      left += inner_stride;
      b += b_stride;
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
class Strip {
 public:
  void run(int rows) const {
    if constexpr (kManyRegisters && kV > 1 && kTall * kV == 16 && !kCut && !kTriangle) {
      if (inner == 16 && a.row_stride == 1) return run_known<1, true>(rows);
    }
    // Sixteen row addresses do not fit in registers; those of the distances that TTT heads of the usual
    // widths have are made constants, so that they take none.
    if constexpr (kTall == 16 && !kCut && !kTriangle) {
      switch (a.inner_stride == 1 || a.row_stride == 1 ? a.row_stride : 0) {
        case 1: return run_known<1>(rows);
        case 16: return run_known<16>(rows);
        case 32: return run_known<32>(rows);
        case 64: return run_known<64>(rows);
        case 96: return run_known<96>(rows);
        case 128: return run_known<128>(rows);
        case 256: return run_known<256>(rows);
        case 384: return run_known<384>(rows);
        case 512: return run_known<512>(rows);
        default: break;
      }
    }
    run_known<0>(rows);
  }

  int inner;
  LeftMatrix<float> a;
  const float* b;
  std::ptrdiff_t b_stride;
  Rows start;
  OutRows c;
  Mask last;

 private:
  static constexpr int kTall = tallest(kV);

  template <int kStride, bool kStep = false>
  void run_known(int rows) const {
    int i = 0;
    if constexpr (kTall != 16 || kStride != 0) {  // sixteen addresses do not fit in registers
      for (; i + kTall <= rows; i += kTall) at<kTall, kStride, kStep>(i);
    }
    if (i < rows) rest<kTall == 16 ? 8 : kTall - 1>(i, rows);
  }
  template <int kR>
  void rest(int i, int rows) const {
    if constexpr (kR > 0) {
      for (; i + kR <= rows; i += kR) at<kR, 0>(i);
      rest<kR - 1>(i, rows);
    }
  }
  template <int kR, int kStride, bool kStep = false>
  HWY_INLINE void at(int i) const {
    tile<kR, kV, kCut, kStride, kTriangle, kStep>(
        kTriangle ? inner + i : inner, {a.data + i * a.row_stride, a.row_stride, a.inner_stride}, b, b_stride,
        {start.data + i * start.stride, start.stride}, {c.data + i * c.stride, c.stride}, last);
  }
};

// C = start + A · B; with kTriangle row i of A ends after inner + i + 1 entries.
template <bool kTriangle = false>
void product(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride, Rows start,
             OutRows c) {
  const auto [rows, inner, columns] = extents;
  const Mask all = hn::FirstN(Floats(), kLanes);
  int j = 0;
  const auto strips = [&]<int kV>(std::integral_constant<int, kV>) HWY_ATTR {
    for (; j + kV * kLanes <= columns; j += kV * kLanes) {
      Strip<kV, false, kTriangle>{inner, a, b + j, b_stride, {start.data + j, start.stride}, {c.data + j, c.stride},
                                  all}
          .run(rows);
    }
  };
  // Few rows need wide strips to have enough sums under way, and a short inner extent needs them because a
  // tile then mostly loads and stores. Tall tiles read B only once.
  if (rows <= tallest(8)) strips(std::integral_constant<int, 8>());
  if (rows <= tallest(4) || (kManyRegisters && inner <= 16)) strips(std::integral_constant<int, 4>());
  if (!(kManyRegisters && rows % tallest(1) == 0 && inner > 16)) strips(std::integral_constant<int, 2>());
  strips(std::integral_constant<int, 1>());
  if (j == columns) return;
  Strip<1, true, kTriangle>{inner,
                            a,
                            b + j,
                            b_stride,
                            {start.data + j, start.stride},
                            {c.data + j, c.stride},
                            hn::FirstN(Floats(), static_cast<std::size_t>(columns - j))}
      .run(rows);
}

// kR rows of scores()' result, four columns of it.
template <int kR>
HWY_INLINE void score_tile(int width, Rows q, Rows k, int columns, OutRows out) {
  const Floats d;
  const float* rows[4];
  for (int j = 0; j < 4; ++j) rows[j] = k.data + std::min(j, columns - 1) * k.stride;
  Vec sum[kR][4];
  HWY_UNROLL(4)
  for (int i = 0; i < kR; ++i) {
    HWY_UNROLL(4)
    for (int j = 0; j < 4; ++j) sum[i][j] = hn::Zero(d);
  }
  const auto add = [&](int c, auto load) HWY_ATTR {
    Vec right[4];
    HWY_UNROLL(4)
    for (int j = 0; j < 4; ++j) right[j] = load(rows[j] + c);
    HWY_UNROLL(4)
    for (int i = 0; i < kR; ++i) {
      const Vec left = load(q.data + i * q.stride + c);
      HWY_UNROLL(4)
      for (int j = 0; j < 4; ++j) sum[i][j] = hn::MulAdd(left, right[j], sum[i][j]);
    }
  };
  int c = 0;
  for (; c + kLanes <= width; c += kLanes) add(c, [&](const float* at) HWY_ATTR { return hn::LoadU(d, at); });
  if (c < width) {
    const Mask rest = hn::FirstN(d, static_cast<std::size_t>(width - c));
    add(c, [&](const float* at) HWY_ATTR { return hn::MaskedLoad(rest, d, at); });
  }
  HWY_UNROLL(4)
  for (int i = 0; i < kR; ++i) {
    hn::StoreU(four_sums(sum[i][0], sum[i][1], sum[i][2], sum[i][3]), Four(),
               out.data + i * out.stride);
  }
}

// out[i][j] = q_i · k_j for j ≤ open + i, the rows being `width` long. Each is summed in the same order
// whatever lies around it. Up to three numbers beyond are written to as well.
inline void scores(int n, int open, int width, Rows q, Rows k, OutRows out) {
  int i = 0;
  const auto strip = [&]<int kR>(std::integral_constant<int, kR>) HWY_ATTR {
    for (; i + kR <= n; i += kR) {
      const int count = open + i + kR;  // of the last row
      for (int j = 0; j < count; j += 4) {
        score_tile<kR>(width, {q.data + i * q.stride, q.stride}, {k.data + j * k.stride, k.stride}, count - j,
                       {out.data + i * out.stride + j, out.stride});
      }
    }
  };
  strip(std::integral_constant<int, 4>());
  strip(std::integral_constant<int, 2>());
  strip(std::integral_constant<int, 1>());
}

// How transpose() stores: as it is, or times what stands in the same place of another matrix.
struct AsIs {
  HWY_INLINE void store(Vec v, float* to, std::ptrdiff_t) { hn::StoreU(v, Floats(), to); }
  HWY_INLINE void store(float v, float* to, std::ptrdiff_t) { *to = v; }
};
struct Times {
  const float* other;  // laid out as `to`
  Vec squares;         // Σ of the squares of what was stored; its lanes together are no less
  HWY_INLINE void store(Vec v, float* to, std::ptrdiff_t at) {
    const Vec out = hn::Mul(v, hn::LoadU(Floats(), other + at));
    squares = hn::MulAdd(out, out, squares);
    hn::StoreU(out, Floats(), to);
  }
  HWY_INLINE void store(float v, float* to, std::ptrdiff_t at) {
    *to = v * other[at];
    squares = hn::Add(squares, hn::Set(Floats(), *to * *to));
  }
};

// Rows of `to` are columns of `from`: to[c][r] = from[r][c].
//   Whole blocks go through 4 x 4 blocks inside 128-bit lanes, which come from memory already in place.
//   Gives `store` back; in memory its sum would be waited for at each step.
template <class Store = AsIs>
Store transpose(int rows, int columns, Rows from, OutRows to, Store store = {}) {
  const Floats d;
  const Four quad;
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
      const auto put = [&](int column, auto v) HWY_ATTR {
        const std::ptrdiff_t at = (c + column) * to.stride + r;
        store.store(hn::BitCast(d, v), to.data + at, at);
      };
      put(0, hn::InterleaveLower(pairs, low01, low23));
      put(1, hn::InterleaveUpper(pairs, low01, low23));
      put(2, hn::InterleaveLower(pairs, high01, high23));
      put(3, hn::InterleaveUpper(pairs, high01, high23));
    }
    for (; c < columns; ++c) {
      for (int i = r; i < r + kLanes; ++i) {
        const std::ptrdiff_t at = c * to.stride + i;
        store.store(from.data[i * from.stride + c], to.data + at, at);
      }
    }
  }
  for (; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const std::ptrdiff_t at = c * to.stride + r;
      store.store(from.data[r * from.stride + c], to.data + at, at);
    }
  }
  return store;
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
