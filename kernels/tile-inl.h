// Products of small row-major float matrices in registers; the vector form of dense.h, with its rule: an
// entry is its starting value plus the products in ascending order of the inner index, each added with one
// rounding, whatever lies around it. What a causal mini-batch has changed (Causal) comes before them.
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
#include <utility>

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

// What the tokens of a causal mini-batch have changed so far: row i of a product gets Σ_j score[j][i] · step_j on top,
// over j ≤ open + i. Later entries are not touched: what a later token did wrong must not reach an earlier one.
struct Causal {
  const float* score;
  std::ptrdiff_t score_stride;
  const float* step;
  std::ptrdiff_t step_stride;
  int open;
};

// kR rows times kV vectors of C, held in registers over the whole inner extent.
//   kStride  the rows' distance in A if it is known, else 0: as constants their addresses cost nothing. With 1, A is
//            a transposed matrix of any inner stride; with more its inner stride must be 1.
//   kCausal  as Causal says
//   kUpdate  of W by a mini-batch of 16 tokens: `inner` is 16, and C, which comes from L2, is asked for one tile ahead
template <int kR, int kV, bool kCut, int kStride, bool kCausal, bool kUpdate = false>
HWY_INLINE void tile(int inner, LeftMatrix<float> a, const float* HWY_RESTRICT b, std::ptrdiff_t b_stride, Rows start,
                     OutRows c, Mask last, Causal causal) {
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
  const auto add = [&](const float* left, std::ptrdiff_t stride, const float* HWY_RESTRICT right, int first) HWY_ATTR {
    Vec row[kV];
    HWY_UNROLL(8)
    for (int j = 0; j + 1 < kV; ++j) row[j] = hn::LoadU(d, right + j * kLanes);
    row[kV - 1] = load_last<kCut>(last, right + (kV - 1) * kLanes);
    HWY_UNROLL(16)
    for (int i = 0; i < kR; ++i) {
      if (i < first) continue;
      const Vec factor = hn::Set(d, left[i * stride]);
      HWY_UNROLL(8)
      for (int j = 0; j < kV; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
  };
  if (kCausal) {  // first: the last row has to wait for each of its terms
    const float* score = causal.score;
    const float* HWY_RESTRICT step = causal.step;
    for (int j = 0; j < causal.open; ++j, score += causal.score_stride, step += causal.step_stride) {
      add(score, 1, step, 0);
    }
    HWY_UNROLL(16)
    for (int i = 0; i < kR; ++i, score += causal.score_stride, step += causal.step_stride) add(score, 1, step, i);
  }
  const float* HWY_RESTRICT left = a.data;
  int k = 0;
  if (kUpdate) {
    for (; k < 16; k += 4) {
      HWY_UNROLL(4)
      for (int step = 0; step < 4; ++step) {
        hwy::Prefetch(c.data + (kR + (k + step) / kV) * c.stride + (k + step) % kV * kLanes);
        add(left + step * inner_stride, row_stride, b, 0);
        b += b_stride;
      }
      left += 4 * inner_stride;
    }
  } else if (kStride != 0) {
    for (; k + 4 <= inner; k += 4) {  // the processor foresees the end of a short loop
      HWY_UNROLL(4)
      for (int step = 0; step < 4; ++step) {
        add(left + step * inner_stride, row_stride, b, 0);
        b += b_stride;
      }
      left += 4 * inner_stride;
    }
  }
  for (; k < inner; ++k, left += inner_stride, b += b_stride) add(left, row_stride, b, 0);
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

// C = start + A · B, and with kCausal what `causal` says on top.
template <bool kCausal>
class Product {
 public:
  Product(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride, Rows start, OutRows c,
          Causal causal)
      : extents_(extents), a_(a), b_(b), b_stride_(b_stride), start_(start), c_(c), causal_(causal) {}

  void run() {
    const auto [rows, inner, columns] = extents_;
    // Few rows need wide strips to have enough sums under way, and a short inner extent needs them because a
    // tile then mostly loads and stores. Tall tiles read B only once.
    if (rows <= tallest(8)) strips<8>();
    if (rows <= tallest(4) || (kManyRegisters && inner <= 16)) strips<4>();
    if (!(kManyRegisters && rows % tallest(1) == 0 && inner > 16)) strips<2>();
    strips<1>();
    if (j_ == columns) return;
    last_ = hn::FirstN(Floats(), static_cast<std::size_t>(columns - j_));
    tiles<1, true, 0>();
  }

 private:
  // Strips of kV vectors of columns, as many as there are.
  template <int kV>
  void strips() {
    if (j_ + kV * kLanes > extents_.columns) return;
    constexpr int kTall = tallest(kV);
    if constexpr (kManyRegisters && kV > 1 && kTall * kV == 16 && !kCausal) {
      if (extents_.inner == 16 && a_.row_stride == 1) return strips_known<kV, 1, true>();
    }
    // Sixteen row addresses do not fit in registers; those of the distances that TTT heads of the usual
    // widths have are made constants, so that they take none.
    if constexpr (kTall == 16) {
      switch (a_.inner_stride == 1 || a_.row_stride == 1 ? a_.row_stride : 0) {
        case 1: return strips_known<kV, 1>();
        case 16: return strips_known<kV, 16>();
        case 32: return strips_known<kV, 32>();
        case 64: return strips_known<kV, 64>();
        case 96: return strips_known<kV, 96>();
        case 128: return strips_known<kV, 128>();
        case 256: return strips_known<kV, 256>();
        case 384: return strips_known<kV, 384>();
        case 512: return strips_known<kV, 512>();
        default: break;
      }
    }
    strips_known<kV, 0>();
  }
  template <int kV, int kStride, bool kUpdate = false>
  void strips_known() {
    for (; j_ + kV * kLanes <= extents_.columns; j_ += kV * kLanes) tiles<kV, false, kStride, kUpdate>();
  }

  // All rows of the strip.
  template <int kV, bool kCut, int kStride, bool kUpdate = false>
  void tiles() const {
    constexpr int kTall = tallest(kV);
    const int rows = extents_.rows;
    int i = 0;
    if constexpr (kTall != 16 || kStride != 0) {  // sixteen addresses do not fit in registers
      for (; i + kTall <= rows; i += kTall) at<kTall, kV, kCut, kStride, kUpdate>(i);
    }
    if (i < rows) rest<kTall == 16 ? 8 : kTall - 1, kV, kCut>(i);
  }
  template <int kR, int kV, bool kCut>
  void rest(int i) const {
    if constexpr (kR > 0) {
      for (; i + kR <= extents_.rows; i += kR) at<kR, kV, kCut, 0>(i);
      rest<kR - 1, kV, kCut>(i);
    }
  }
  template <int kR, int kV, bool kCut, int kStride, bool kUpdate = false>
  HWY_INLINE void at(int i) const {
    Causal causal{};
    if constexpr (kCausal) {
      causal = {causal_.score + i, causal_.score_stride, causal_.step + j_, causal_.step_stride, causal_.open + i};
    }
    tile<kR, kV, kCut, kStride, kCausal, kUpdate>(
        extents_.inner, {a_.data + i * a_.row_stride, a_.row_stride, a_.inner_stride}, b_ + j_, b_stride_,
        {start_.data + i * start_.stride + j_, start_.stride}, {c_.data + i * c_.stride + j_, c_.stride}, last_,
        causal);
  }

  const ProductExtents extents_;
  const LeftMatrix<float> a_;
  const float* const b_;
  const std::ptrdiff_t b_stride_;
  const Rows start_;
  const OutRows c_;
  const Causal causal_;
  int j_ = 0;  // the strip's first column
  Mask last_ = hn::FirstN(Floats(), kLanes);
};

template <bool kCausal = false>
void product(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride, Rows start,
             OutRows c, Causal causal = {}) {
  Product<kCausal>(extents, a, b, b_stride, start, c, causal).run();
}

// kR rows of scores()' result, four columns of it; without kFour there are fewer, and what is in their place is of
// no use to anybody.
template <int kR, bool kFour, class Finish>
HWY_INLINE void score_tile(int width, Rows a, Rows b, int columns, OutRows out, Finish finish) {
  const Floats d;
  const float* right_rows[4];
  for (int j = 0; j < 4; ++j) right_rows[j] = b.data + (kFour ? j : std::min(j, columns - 1)) * b.stride;
  Vec sum[kR][4];
  HWY_UNROLL(4)
  for (int i = 0; i < kR; ++i) {
    HWY_UNROLL(4)
    for (int j = 0; j < 4; ++j) sum[i][j] = hn::Zero(d);
  }
  const auto add = [&](int c, auto load) HWY_ATTR {
    Vec right[4];
    HWY_UNROLL(4)
    for (int j = 0; j < 4; ++j) right[j] = load(right_rows[j] + c);
    HWY_UNROLL(4)
    for (int i = 0; i < kR; ++i) {
      const Vec left = load(a.data + i * a.stride + c);
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
  alignas(64) float sums[4 * kR];
  if constexpr (kR == 4) {
    sixteen_sums(sum, sums);
  } else {
    for (int i = 0; i < kR; ++i) hn::Store(four_sums(sum[i][0], sum[i][1], sum[i][2], sum[i][3]), Four(), sums + 4 * i);
  }
  HWY_UNROLL(4)
  for (int i = 0; i < kR; ++i) {
    hn::StoreU(finish(i, hn::Load(Four(), sums + 4 * i)), Four(), out.data + i * out.stride);
  }
}

// out[i][j] = finish(i, j, a_i · b_j) for those j of row i that `columns` names as a half-open range, the rows of a and b
// being `width` long; finish() gets four columns at a time. Each is summed in the same order whatever lies around it.
//   columns(i, rows)  the range for `rows` rows from i on, a multiple of four at its beginning
// Up to three numbers beyond are written to as well.
template <class Columns, class Finish>
HWY_INLINE void scores(int rows, int width, Rows a, Rows b, OutRows out, Columns columns, Finish finish) {
  int i = 0;
  const auto strip = [&]<int kR>(std::integral_constant<int, kR>) HWY_ATTR {
    for (; i + kR <= rows; i += kR) {
      const auto [begin, end] = columns(i, kR);
      const auto tiles = [&]<bool kFour>(int j, std::bool_constant<kFour>) HWY_ATTR {
        score_tile<kR, kFour>(width, {a.data + i * a.stride, a.stride}, {b.data + j * b.stride, b.stride}, end - j,
                              {out.data + i * out.stride + j, out.stride},
                              [&](int row, auto sums) HWY_ATTR { return finish(i + row, j, sums); });
      };
      int j = begin;
      for (; j + 4 <= end; j += 4) tiles(j, std::true_type());
      if (j < end) tiles(j, std::false_type());
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
