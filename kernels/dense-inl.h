// dense.h and gelu.h for floats in vector registers. Included once per Highway target.
#if defined(LONGTAKE_DENSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_DENSE_INL_H
#undef LONGTAKE_DENSE_INL_H
#else
#define LONGTAKE_DENSE_INL_H
#endif

#include "kernels/gelu-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

// transpose() that adds to what is there.
struct Plus {
  HWY_INLINE void store(Vec v, float* to, std::ptrdiff_t) {
    hn::StoreU(hn::Add(hn::LoadU(Floats(), to), v), Floats(), to);
  }
  HWY_INLINE void store(float v, float* to, std::ptrdiff_t) { *to += v; }
};

struct Dense {
  static void multiply_add(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride,
                           float* c, std::ptrdiff_t c_stride) {
    product(extents, a, b, b_stride, {c, c_stride}, {c, c_stride});
  }

  // C = start + A · B; a start_stride of 0 gives every row the same.
  static void multiply(ProductExtents extents, LeftMatrix<float> a, const float* b, std::ptrdiff_t b_stride,
                       const float* start, std::ptrdiff_t start_stride, float* c, std::ptrdiff_t c_stride) {
    product(extents, a, b, b_stride, {start, start_stride}, {c, c_stride});
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
    for (; i + kLanes <= count; i += kLanes) sums[0] = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums[0]);
    if (i < count) {
      const Mask rest = hn::FirstN(d, static_cast<std::size_t>(count - i));
      sums[1] = hn::MulAdd(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i), sums[1]);
    }
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
  }

  static float sum(const float* values, int count) {
    Vec total = hn::Zero(Floats());
    Row(count).for_each([&](int c, auto part) HWY_ATTR { total = hn::Add(total, part.load(values + c)); });
    return hn::GetLane(row_sums<1>({total}));  // as the forward pass adds them
  }

  // out[i · stride + j] = a_i · b_j for j ≤ i < n; the rows of a and b are `width` long. Up to three more are written.
  static void pairs(int n, int width, const float* a, const float* b, float* out, int stride) {
    scores(
        n, width, {a, width}, {b, width}, {out, stride}, [](int i, int rows) { return std::pair(0, i + rows); },
        [](int, int, auto sums) HWY_ATTR { return sums; });
  }

  // to [columns][rows] = fromᵀ
  static void transpose(int rows, int columns, const float* from, float* to) {
    HWY_NAMESPACE::transpose(rows, columns, {from, columns}, {to, rows});
  }
  static void add_transposed(int rows, int columns, const float* from, float* to) {
    HWY_NAMESPACE::transpose(rows, columns, {from, columns}, {to, rows}, Plus());
  }

  static void gelu(float* x, float* slope, std::size_t count) {
    if (slope == nullptr) {
      gelu_in_place<0>(x, nullptr, nullptr, count, hn::Zero(Floats()));
    } else {
      gelu_in_place<1>(x, slope, nullptr, count, hn::Zero(Floats()));
    }
  }

  // With gelu''(x) in `curve`.
  static void gelu(float* x, float* slope, float* curve, std::size_t count) {
    gelu_in_place<2>(x, slope, curve, count, hn::Zero(Floats()));
  }
};

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
