// The inner loop as kernels/ttt.h states it, in vector registers. One source, compiled once per Highway
// target.
//
// Note: Order of work
//   W of one head (131 kB at f = 64, h = 256) lives in L2, all the rest of a mini-batch in L1. A mini-batch
//   of 16 tokens fills tiles of 16 rows, which read each number of W once; what it costs beside its
//   multiplications is the beginnings and ends of tiles. So the hidden width is cut into few, large blocks,
//   and all that can be done with a block of W is done while it is near:
//     learn    per block  X = gelu(K W1 + b1), Z += X W2
//              G from Z, then per block  G1 = (G W2ᵀ) ⊙ gelu'
//     finish   per block  the queries' pass through both layers, and both layers' step
//   W is read three times and written once.
//   Tokens are rows, except in G W2ᵀ: there they lie in the lanes, so that W2 is read as it is.
//
// Note: Steps that must be refused
//   The blocks are stepped one by one, long before the last one is known to be finite. A step whose terms are
//   all below 1e30 cannot leave the finite numbers: half a unit in the last place of the largest float is
//   1e31. If the lengths of what is multiplied do not promise that, which training that works never sees, the
//   whole of W is stepped at once, looked at, and put back if need be.
#include "kernels/ttt_simd.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa.h"
#include "kernels/simd.h"
#include "kernels/ttt_inputs.h"
#include "kernels/ttt_pieces.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ttt_simd.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include "kernels/gelu-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD
// ttt_backward_simd.cpp
std::size_t ttt_backward_scratch_size(const TttShape& shape, int every);
void ttt_backward_pass(const TttShape& shape, const TttCall<float>& call, const TttCheckpoints<float>& checkpoints,
                       const TttGradients<float>& gradients);

namespace {

constexpr int kBlock = 256;         // of the hidden width: 128 kB of W at f = 64
constexpr std::size_t kAlign = 16;  // floats; a cache line
constexpr double kSafeTerm = 1e30;  // see Note: Steps that must be refused

constexpr std::size_t aligned(std::size_t count) { return (count + kAlign - 1) / kAlign * kAlign; }

// What one piece of one mini-batch of one head works in.
struct Work {
  float* rows;     // as the state's, for mini-batches that begin and end in this call
  float* q;        // [b][f] turned
  float* k;        // [b][f]
  float* target;   // [b][f] T
  float* z;        // [b][f] the inner model at the keys
  float* z_query;  // [b][f] and at the queries
  float* hidden;   // [b][h] the queries' hidden rows
  float* k_step;   // [b][f] −c ⊙ k
  float* g_step;   // [b][f] −c ⊙ g
  float* g_lanes;  // [f][lanes] gᵀ
  float* back;     // [block][lanes] W2 gᵀ of one block
  float* tau;      // [lanes] −τ of the piece's tokens
  float* score;    // [b][lanes] −τ_i lr_j (in_i · in_j + 1), one row per key
  float* step;     // [b] −c
  float* zeros;    // [lanes]
  float* kept;     // [ttt_weights_size] of a step that may have to be taken back
  // Of rows that are being normed, [b] each: mean, ρ, mean u, mean(u ⊙ x̂)
  float *mean, *rho, *along_one, *along_normed;

  std::size_t lay_out(const TttShape& shape, float* at) {
    const auto [f, h, b] = TttWidths(shape);
    std::size_t used = 0;
    const auto take = [&](float*& part, std::size_t count) {
      part = at == nullptr ? nullptr : at + used;
      used += aligned(count);
    };
    const std::size_t narrow = std::size_t(b) * f;
    const std::size_t wide = std::size_t(b) * h;
    const std::size_t lanes = aligned(b);
    take(rows, ttt_rows_size(with_rows(shape)));
    take(q, narrow);
    take(k, narrow);
    take(target, narrow);
    take(z, narrow);
    take(z_query, narrow);
    take(hidden, wide);
    take(k_step, narrow);
    take(g_step, narrow);
    take(g_lanes, f * lanes);
    take(back, kBlock * lanes);
    take(tau, lanes);
    take(score, b * lanes);
    take(step, b);
    take(zeros, lanes);
    take(kept, ttt_weights_size(shape));
    for (float** part : {&mean, &rho, &along_one, &along_normed}) take(*part, b);
    return used;
  }
};

bool all_finite(const float* values, std::size_t count) {
  unsigned bad = 0;
  for (std::size_t i = 0; i < count; ++i) bad |= std::abs(values[i]) <= std::numeric_limits<float>::max() ? 0u : 1u;
  return bad == 0;
}

// x ← gelu(x), and slope ← gelu'(x) unless it is null, on n rows of `width` numbers. Gives Σ x² of what comes out.
float gelu_rows(int n, int width, OutRows x, float* slope) {
  Vec squares = hn::Zero(Floats());
  for (int i = 0; i < n; ++i) {
    float* const at = x.data + i * x.stride;
    squares = slope == nullptr ? gelu_in_place<0>(at, nullptr, nullptr, width, squares)
                               : gelu_in_place<1>(at, slope + i * x.stride, nullptr, width, squares);
  }
  return sum(squares);
}

// One head of one call.
class Head {
 public:
  Head(const TttShape& shape, const TttCall<float>& call, const TttState<float>& state, int head)
      : shape_(shape),
        f_(TttWidths(shape).f),
        h_(TttWidths(shape).h),
        b_(TttWidths(shape).b),
        lanes_(static_cast<int>(aligned(b_))),
        row_(f_),
        call_(call),
        head_(head),
        gamma_(call.norm_weight + std::ptrdiff_t(head) * f_),
        beta_(call.norm_bias + std::ptrdiff_t(head) * f_) {
    const std::size_t misplaced = reinterpret_cast<std::uintptr_t>(call.scratch.data()) / sizeof(float) % kAlign;
    work_.lay_out(shape, call.scratch.data() + (kAlign - misplaced) % kAlign);
    std::fill_n(work_.zeros, lanes_, 0.0f);
    std::fill_n(work_.tau, lanes_, 0.0f);
    weights_ = state.weights + head * ttt_weights_size(shape);
    w_ = ttt_weight_parts(shape, weights_);
    if (shape.form == TttForm::kCausal) kept_rows_ = ttt_row_parts(shape, state.rows + head * ttt_rows_size(shape));
    own_rows_ = ttt_row_parts(with_rows(shape), work_.rows);
  }

  // The next n tokens, none of them beyond the end of the mini-batch that has `open` tokens already.
  void run(int first, int n, int open, TttReport& report) {
    first_ = first;
    n_ = n;
    open_ = open;
    const bool ends = open + n == b_;
    // Rows that no later call will ask for stay in the cache.
    whole_ = open == 0 && ends;
    rows_ = whole_ ? own_rows_ : kept_rows_;
    take_rows();
    make_targets();
    if (call_.loss.init.data != nullptr) {
      write_losses(ttt_weight_parts(shape_, call_.start + head_ * ttt_weights_size(shape_)), call_.loss.init);
    }
    learn();
    if (ends) {
      ++report.closed;
      if (!read_and_step()) ++report.refused;
    } else {
      for_each_block([&](int at, int width) HWY_ATTR { read_block(at, width); });
    }
    write_results();
    if (call_.loss.after.data != nullptr) {
      if (ends) {
        write_losses(w_, call_.loss.after);
      } else {
        for (int i = 0; i < n; ++i) *at(call_.loss.after, i) = std::numeric_limits<float>::quiet_NaN();
      }
    }
  }

 private:
  bool causal() const { return shape_.form == TttForm::kCausal; }
  bool learns_first_layer() const { return h_ != 0 && shape_.update == TttUpdate::kAll; }

  // Of the piece's i-th token.
  template <class U>
  U* at(const TttView<U>& view, int i) const {
    return view.data + head_ * view.head_stride + (first_ + i) * view.token_stride;
  }
  LeftMatrix<float> queries() const { return {q_.data, q_.stride, 1}; }
  LeftMatrix<float> keys() const { return {k_.data, k_.stride, 1}; }
  // Of the whole mini-batch so far.
  Rows all_keys() const { return whole_ ? k_ : Rows{rows_.k, f_}; }
  // Row i of a [b][width] part, counted from the piece's first token.
  template <class U>
  U* own(U* part, int width, int i = 0) const {
    return part + std::ptrdiff_t(open_ + i) * width;
  }

  template <class Block>
  void for_each_block(Block block) const {
    if (h_ == 0) return block(0, 0);
    for (int at = 0; at < h_; at += kBlock) block(at, std::min(kBlock, h_ - at));
  }

  void take_rows() {
    const auto rows = [](TttInputRows<float> rows) { return Rows{rows.data, rows.stride}; };
    q_ = rows(take_inputs(shape_, call_, call_.q, head_, first_, n_, work_.q));
    k_ = rows(take_inputs(shape_, call_, call_.k, head_, first_, n_, work_.k));
    take_rates(call_, head_, first_, n_, rows_.lr + open_);
    if (whole_) return;
    for (int i = 0; i < n_; ++i) std::copy_n(k_.data + i * k_.stride, f_, own(rows_.k, f_, i));
  }

  void make_targets() {
    for (int i = 0; i < n_; ++i) {
      const float* const k = k_.data + i * k_.stride;
      const float* const v = at(call_.v, i);
      float* const target = work_.target + i * f_;
      row_.for_each([&](int c, auto part)
                        HWY_ATTR { part.store(hn::Sub(part.load(v + c), part.load(k + c)), target + c); });
      if (shape_.target == TttTarget::kResidual) continue;
      Vec total = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR { total = hn::Add(total, part.load(target + c)); });
      const Vec mean = hn::Mul(sum_everywhere(total), set(1.0f / f_));
      Vec squares = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR {
        const Vec centred = part.cut(hn::Sub(part.load(target + c), mean));
        squares = hn::MulAdd(centred, centred, squares);
      });
      const Vec scale = set(1 / (std::sqrt(sum(squares) / (f_ - 1)) + 1e-8f));
      row_.for_each([&](int c, auto part) HWY_ATTR {
        const Vec normed = hn::Mul(hn::Sub(part.load(target + c), mean), scale);
        part.store(hn::MulAdd(part.load(gamma_ + c), normed, part.load(beta_ + c)), target + c);
      });
    }
  }

  // The first pass: the inner model at the keys, and the gradients there.
  void learn() {
    x_squares_ = 0;
    if (h_ == 0) {
      product({n_, f_, f_}, keys(), w_.w1, f_, {w_.b1, 0}, {work_.z, f_});
    } else {
      for_each_block([&](int at, int width) HWY_ATTR {
        const OutRows x{own(rows_.x, h_) + at, h_};
        product({n_, f_, width}, keys(), w_.w1 + at, h_, {w_.b1 + at, 0}, x);
        // gelu' waits where g1 will be.
        x_squares_ += gelu_rows(n_, width, x, learns_first_layer() ? own(rows_.g1, h_) + at : nullptr);
        product({n_, width, f_}, {x.data, h_, 1}, w_.w2 + at * f_, f_, at == 0 ? Rows{w_.b2, 0} : Rows{work_.z, f_},
                {work_.z, f_});
      });
    }
    make_gradients();
    if (learns_first_layer()) back_propagate();
  }

  // Rows go through what needs sums along them four at a time, and all of them through one sum before the next: one
  // row's sums would leave the processor waiting. Each row's bits are those it gets alone.
  template <class Group>
  HWY_INLINE void for_each_group(Group group) const {
    int i = 0;
    for (; i + 4 <= n_; i += 4) group(i, std::integral_constant<int, 4>());
    for (; i < n_; ++i) group(i, std::integral_constant<int, 1>());
  }
  // to[r] = finish(Σ of the lanes of rows[r])
  template <int kR, class Finish>
  static HWY_INLINE void put_sums(const Vec (&rows)[kR], float* to, Finish finish) {
    const auto sums = finish(row_sums(rows));
    if constexpr (kR == 4) {
      hn::StoreU(sums, Four(), to);
    } else {
      *to = hn::GetLane(sums);
    }
  }

  // Mean and ρ of the piece's rows z.
  void find_norms(const float* z) {
    const auto share = hn::Set(Four(), 1.0f / f_);
    const auto mean_of = [&](auto sums) HWY_ATTR { return hn::Mul(sums, share); };
    for_each_group([&]<int kR>(int i, std::integral_constant<int, kR>) HWY_ATTR {
      Vec total[kR];
      HWY_UNROLL(4)
      for (int r = 0; r < kR; ++r) total[r] = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR {
        HWY_UNROLL(4)
        for (int r = 0; r < kR; ++r) total[r] = hn::Add(total[r], part.load(z + (i + r) * f_ + c));
      });
      put_sums(total, work_.mean + i, mean_of);
    });
    const auto rho_of = [&](auto sums) HWY_ATTR {
      const auto variance = hn::MulAdd(sums, share, hn::Set(Four(), static_cast<float>(shape_.norm_eps)));
      return hn::Div(hn::Set(Four(), 1.0f), hn::Sqrt(variance));
    };
    for_each_group([&]<int kR>(int i, std::integral_constant<int, kR>) HWY_ATTR {
      Vec squares[kR];
      HWY_UNROLL(4)
      for (int r = 0; r < kR; ++r) squares[r] = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR {
        HWY_UNROLL(4)
        for (int r = 0; r < kR; ++r) {
          const Vec centred = part.cut(hn::Sub(part.load(z + (i + r) * f_ + c), set(work_.mean[i + r])));
          squares[r] = hn::MulAdd(centred, centred, squares[r]);
        }
      });
      put_sums(squares, work_.rho + i, rho_of);
    });
  }
  // x̂ of one vector of row i, from its z
  HWY_INLINE Vec normed(int i, Vec z) const { return hn::Mul(hn::Sub(z, set(work_.mean[i])), set(work_.rho[i])); }

  // e of one vector of a row, from its x̂; zero beyond the row's end.
  template <class Part>
  HWY_INLINE Vec error(Vec x_hat, const float* target, int c, Part part) const {
    return hn::Sub(hn::MulAdd(part.load(gamma_ + c), x_hat, part.load(beta_ + c)), part.load(target + c));
  }

  void make_gradients() {
    find_norms(work_.z);
    const auto mean_of = [&](auto sums) HWY_ATTR { return hn::Mul(sums, hn::Set(Four(), 1.0f / f_)); };
    for_each_group([&]<int kR>(int i, std::integral_constant<int, kR>) HWY_ATTR {
      const float* const z = work_.z + i * f_;
      const float* const target = work_.target + i * f_;
      float* const g = own(rows_.g, f_, i);
      Vec squares[kR], u_sum[kR], u_normed[kR];
      HWY_UNROLL(4)
      for (int r = 0; r < kR; ++r) squares[r] = u_sum[r] = u_normed[r] = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR {
        HWY_UNROLL(4)
        for (int r = 0; r < kR; ++r) {
          const Vec x_hat = part.cut(normed(i + r, part.load(z + r * f_ + c)));
          const Vec e = error(x_hat, target + r * f_, c, part);
          const Vec u = hn::Mul(part.load(gamma_ + c), e);
          squares[r] = hn::MulAdd(e, e, squares[r]);
          u_sum[r] = hn::Add(u_sum[r], u);
          u_normed[r] = hn::MulAdd(u, x_hat, u_normed[r]);
          part.store(u, g + r * f_ + c);
        }
      });
      put_sums(u_sum, work_.along_one + i, mean_of);
      put_sums(u_normed, work_.along_normed + i, mean_of);
      if (call_.loss.before.data != nullptr) write_loss(i, squares, call_.loss.before);
    });
    for (int i = 0; i < n_; ++i) {
      const float* const z = work_.z + i * f_;
      float* const g = own(rows_.g, f_, i);
      row_.for_each([&](int c, auto part) HWY_ATTR {
        const Vec rest = hn::NegMulAdd(normed(i, part.load(z + c)), set(work_.along_normed[i]),
                                       hn::Sub(part.load(g + c), set(work_.along_one[i])));
        part.store(hn::Mul(set(work_.rho[i]), rest), g + c);
      });
    }
  }
  // mean e² of kR rows, from the sums of their vectors' squares.
  template <int kR>
  HWY_INLINE void write_loss(int i, const Vec (&squares)[kR], const TttView<float>& losses) const {
    alignas(16) float mean[4];
    hn::Store(hn::Div(row_sums(squares), hn::Set(Four(), static_cast<float>(f_))), Four(), mean);
    for (int r = 0; r < kR; ++r) *at(losses, i + r) = mean[r];
  }

  // g1 = (g W2ᵀ) ⊙ gelu', as W2 gᵀ with the tokens in the lanes.
  void back_propagate() {
    transpose(n_, f_, {own(rows_.g, f_), f_}, {work_.g_lanes, lanes_});
    Vec squares = hn::Zero(Floats());
    for_each_block([&](int at, int width) HWY_ATTR {
      product({width, f_, n_}, {w_.w2 + at * f_, f_, 1}, work_.g_lanes, lanes_, {work_.zeros, 0}, {work_.back, lanes_});
      squares = transpose(width, n_, {work_.back, lanes_}, {own(rows_.g1, h_) + at, h_},
                          Times{own(rows_.g1, h_) + at, squares})
                    .squares;
    });
    g1_squares_ = sum(squares);
  }

  // How a layer has changed for each query: its inputs are q for the piece's queries and k for the mini-batch's tokens
  // so far, which have left a row of `step` each. The scores last until the next call.
  Causal causal_steps(int width, Rows q, Rows k, const float* step, int step_stride) {
    for (int i = 0; i < n_; ++i) work_.tau[i] = -call_.token_scale[open_ + i];
    const auto later = [&](int key, int) { return std::pair(std::max(0, key - open_) / 4 * 4, n_); };
    scores(open_ + n_, width, k, q, {work_.score, lanes_}, later, [&](int key, int query, auto sums) HWY_ATTR {
      const auto scale = hn::Mul(hn::Load(Four(), work_.tau + query), hn::Set(Four(), rows_.lr[key]));
      return hn::MulAdd(scale, sums, scale);  // the score and 1
    });
    return {work_.score, lanes_, step, step_stride, open_};
  }

  // Finishes a mini-batch: the queries' pass and the step. False if the step was refused.
  bool read_and_step() {
    const float tau = causal() ? call_.token_scale[b_ - 1] : 1.0f / b_;
    for (int j = 0; j < b_; ++j) work_.step[j] = -(tau * rows_.lr[j]);
    scale_rows({rows_.g, f_}, work_.g_step);
    if (h_ == 0 || learns_first_layer()) scale_rows(all_keys(), work_.k_step);
    const auto read = [&](int at, int width) HWY_ATTR { read_block(at, width); };
    const auto step = [&](int at, int width) HWY_ATTR { step_block(at, width); };
    if (step_is_safe()) {
      if (!causal()) step_last_bias();
      for_each_block([&](int at, int width) HWY_ATTR {
        if (causal()) read(at, width);
        step(at, width);
        if (!causal()) read(at, width);
      });
      if (causal()) step_last_bias();
      return true;
    }
    const std::size_t size = ttt_weights_size(shape_);
    if (causal()) for_each_block(read);
    std::copy_n(weights_, size, work_.kept);
    for_each_block(step);
    step_last_bias();
    const bool finite = all_finite(weights_, size);
    if (!finite) std::copy_n(work_.kept, size, weights_);
    if (!causal()) for_each_block(read);
    return finite;
  }

  void scale_rows(Rows rows, float* to) {
    for (int j = 0; j < b_; ++j) {
      const Vec step = set(work_.step[j]);
      row_.for_each([&](int c, auto part) HWY_ATTR {
        part.store(hn::Mul(step, part.load(rows.data + j * rows.stride + c)), to + j * f_ + c);
      });
    }
  }

  bool step_is_safe() const {
    const std::size_t narrow = std::size_t(b_) * f_;
    const std::size_t wide = std::size_t(b_) * h_;
    const double steps = square_sum(work_.step, b_);
    const double limit = kSafeTerm * kSafeTerm;
    const auto safe = [&](double factor, double other) { return factor * other < limit; };  // false for NaN
    if (h_ == 0) return safe(square_sum(work_.k_step, narrow) + steps, square_sum(rows_.g, narrow));
    if (!safe((whole_ ? x_squares_ : square_sum(rows_.x, wide)) + 1, square_sum(work_.g_step, narrow))) return false;
    return !learns_first_layer() ||
           safe(square_sum(work_.k_step, narrow) + steps, whole_ ? g1_squares_ : square_sum(rows_.g1, wide));
  }

  // What the piece's queries get through one block of the hidden width.
  void read_block(int at, int width) {
    if (h_ == 0) {
      const OutRows z{work_.z_query, f_};
      if (causal()) {
        const Causal steps = causal_steps(f_, q_, all_keys(), rows_.g, f_);
        product<true>({n_, f_, f_}, queries(), w_.w1, f_, {w_.b1, 0}, z, steps);
      } else {
        product({n_, f_, f_}, queries(), w_.w1, f_, {w_.b1, 0}, z);
      }
      return;
    }
    const OutRows hidden{work_.hidden + at, h_};
    if (causal() && learns_first_layer()) {
      if (at == 0) steps_ = causal_steps(f_, q_, all_keys(), rows_.g1, h_);
      Causal steps = steps_;
      steps.step += at;
      product<true>({n_, f_, width}, queries(), w_.w1 + at, h_, {w_.b1 + at, 0}, hidden, steps);
    } else {
      product({n_, f_, width}, queries(), w_.w1 + at, h_, {w_.b1 + at, 0}, hidden);
    }
    gelu_rows(n_, width, hidden, nullptr);
    const LeftMatrix<float> x{hidden.data, h_, 1};
    const Rows start = at == 0 ? Rows{w_.b2, 0} : Rows{work_.z_query, f_};
    const OutRows z{work_.z_query, f_};
    if (causal() && at + width == h_) {
      const Causal steps = causal_steps(h_, {work_.hidden, h_}, {rows_.x, h_}, rows_.g, f_);
      product<true>({n_, width, f_}, x, w_.w2 + at * f_, f_, start, z, steps);
    } else {
      product({n_, width, f_}, x, w_.w2 + at * f_, f_, start, z);
    }
  }

  // W ← W − c (in ⊗ g) in one block, and what follows it.
  void step_block(int at, int width) {
    if (h_ == 0) {
      step_rows({work_.k_step, 1, f_}, f_, rows_.g, f_, f_, w_.w1);
      settle(w_.w1, f_, f_, f_);
      keep_row_norms(w_.w1, f_);
      return;
    }
    if (learns_first_layer()) {
      step_rows({work_.k_step, 1, f_}, f_, rows_.g1 + at, h_, width, w_.w1 + at);
      add_row(rows_.g1 + at, h_, width, w_.b1 + at);
    }
    settle(w_.w1 + at, h_, f_, width);
    settle(w_.b1 + at, h_, 1, width);
    float* const w2 = w_.w2 + at * f_;
    product({width, b_, f_}, {rows_.x + at, 1, h_}, work_.g_step, f_, {w2, f_}, {w2, f_});
    settle(w2, f_, width, f_);
    keep_row_norms(w2, width);
  }
  void step_rows(LeftMatrix<float> in, int rows, const float* g, int g_stride, int width, float* w) {
    product({rows, b_, width}, in, g, g_stride, {w, g_stride}, {w, g_stride});
  }
  void add_row(const float* g, int g_stride, int width, float* bias) {
    product({1, b_, width}, {work_.step, 0, 1}, g, g_stride, {bias, 0}, {bias, 0});
  }
  void step_last_bias() {
    float* const bias = h_ == 0 ? w_.b1 : w_.b2;
    add_row(rows_.g, f_, f_, bias);
    settle(bias, f_, 1, f_);
  }

  // The decay of a part of W.
  void settle(float* w, int stride, int rows, int width) {
    if (call_.decay == nullptr) return;
    const Vec alpha = set(call_.decay[head_]);
    const float* const start = start_of(w);
    const Row row(width);
    for (int r = 0; r < rows; ++r) {
      row.for_each([&](int c, auto part) HWY_ATTR {
        const Vec now = part.load(w + r * stride + c);
        part.store(hn::MulAdd(alpha, hn::Sub(part.load(start + r * stride + c), now), now), w + r * stride + c);
      });
    }
  }
  void keep_row_norms(float* w, int rows) {
    if (!shape_.keep_row_norms) return;
    const float* const start = start_of(w);
    for (int r = 0; r < rows; ++r) {
      Vec now = hn::Zero(Floats()), then = now;
      row_.for_each([&](int c, auto part) HWY_ATTR {
        const Vec a = part.load(w + r * f_ + c);
        const Vec b = part.load(start + r * f_ + c);
        now = hn::MulAdd(a, a, now);
        then = hn::MulAdd(b, b, then);
      });
      const float square = sum(now);
      if (!(square > 0 && square <= std::numeric_limits<float>::max())) continue;
      const Vec scale = set(std::sqrt(sum(then) / square));
      row_.for_each([&](int c, auto part)
                        HWY_ATTR { part.store(hn::Mul(scale, part.load(w + r * f_ + c)), w + r * f_ + c); });
    }
  }
  const float* start_of(const float* w) const {
    return call_.start + head_ * ttt_weights_size(shape_) + (w - weights_);
  }

  // z = q + LN(inner model at q)
  void write_results() {
    find_norms(work_.z_query);
    for (int i = 0; i < n_; ++i) {
      const float* const inner = work_.z_query + i * f_;
      const float* const q = q_.data + i * q_.stride;
      float* const z = at(call_.z, i);
      row_.for_each([&](int c, auto part) HWY_ATTR {
        const Vec out = hn::MulAdd(part.load(gamma_ + c), normed(i, part.load(inner + c)), part.load(beta_ + c));
        part.store(hn::Add(part.load(q + c), out), z + c);
      });
    }
  }

  // Losses of the piece's tokens under any weights. Comes before the first pass or after the last one: it works
  // in their rows.
  template <class U>
  void write_losses(const TttWeightParts<U>& w, const TttView<float>& losses) {
    if (h_ == 0) {
      product({n_, f_, f_}, keys(), w.w1, f_, {w.b1, 0}, {work_.z, f_});
    } else {
      for_each_block([&](int at, int width) HWY_ATTR {
        const OutRows x{work_.hidden + at, h_};
        product({n_, f_, width}, keys(), w.w1 + at, h_, {w.b1 + at, 0}, x);
        gelu_rows(n_, width, x, nullptr);
        product({n_, width, f_}, {x.data, h_, 1}, w.w2 + at * f_, f_, at == 0 ? Rows{w.b2, 0} : Rows{work_.z, f_},
                {work_.z, f_});
      });
    }
    find_norms(work_.z);
    for_each_group([&]<int kR>(int i, std::integral_constant<int, kR>) HWY_ATTR {
      const float* const z = work_.z + i * f_;
      Vec squares[kR];
      for (int r = 0; r < kR; ++r) squares[r] = hn::Zero(Floats());
      row_.for_each([&](int c, auto part) HWY_ATTR {
        for (int r = 0; r < kR; ++r) {
          const Vec x_hat = part.cut(normed(i + r, part.load(z + r * f_ + c)));
          const Vec e = error(x_hat, work_.target + (i + r) * f_, c, part);
          squares[r] = hn::MulAdd(e, e, squares[r]);
        }
      });
      write_loss(i, squares, losses);
    });
  }

  const TttShape& shape_;
  const int f_, h_, b_;  // h_ = 0: linear
  const int lanes_;      // a row of as many numbers as a mini-batch has tokens, rounded up
  const Row row_;        // of f numbers
  const TttCall<float>& call_;
  const int head_;
  const float* const gamma_;
  const float* const beta_;
  Work work_;
  float* weights_;  // the head's block
  TttWeightParts<float> w_;
  TttRowParts<float> own_rows_{}, kept_rows_{}, rows_{};
  int first_ = 0, n_ = 0, open_ = 0;  // of the piece at work
  Rows q_{}, k_{};                    // its inputs
  bool whole_ = false;                // it is a whole mini-batch
  double x_squares_ = 0;              // Σ x² of the piece's keys
  double g1_squares_ = 0;             // Σ g1² of the piece, or more
  Causal steps_{};                    // of the first layer
};

TttReport forward(const TttShape& shape, const TttCall<float>& call, TttState<float>& state) {
  return forward_in_pieces<Head>(shape, call, state);
}

std::size_t scratch_size(const TttShape& shape) { return Work().lay_out(shape, nullptr) + kAlign; }

bool supports(const TttShape&) { return true; }

}  // namespace

TttBackend<float> ttt_backend(const char* name) {
  return {name, supports, scratch_size, forward, ttt_backward_scratch_size, ttt_backward_pass};
}
#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace longtake {

std::span<const TttBackend<float>> ttt_simd_backends() {
  static const std::vector<TttBackend<float>> backends = [] {
    std::vector<TttBackend<float>> all;
    const auto add = [&](Isa isa, auto make) {
      if (isa <= isa_in_use() && isa_runs_here(isa)) all.push_back(make(isa_name(isa).data()));
    };
#if HWY_TARGETS & HWY_AVX3
    add(Isa::kAvx512, N_AVX3::ttt_backend);
#endif
#if HWY_TARGETS & HWY_AVX2
    add(Isa::kAvx2, N_AVX2::ttt_backend);
#endif
#if HWY_TARGETS & HWY_NEON
    add(Isa::kNeon, N_NEON::ttt_backend);
#endif
    return all;
  }();
  return backends;
}

}  // namespace longtake
#endif  // HWY_ONCE
