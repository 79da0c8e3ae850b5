// The inner loop as kernels/ttt.h states it, in plain loops over small matrix products. Every other backend
// is held to this one, and this one to the golden vectors.
#include "kernels/ttt_scalar.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/dense.h"
#include "kernels/gelu.h"
#include "kernels/ttt_inputs.h"
#include "kernels/ttt_pieces.h"

namespace longtake {
namespace {

// What one piece of one mini-batch of one head works in.
template <class T>
struct Work {
  T* hidden;   // [b][h] the queries' and the losses' hidden rows
  T* slope;    // [b][h] gelu' at the keys
  T* scaled;   // [b][f or h] rows times their step
  T* back;     // [h][b] W2 gᵀ
  T* g_t;      // [f][b] gᵀ
  T* target;   // [b][f]
  T* out;      // [b][f] z of the inner model
  T* normed;   // [f] x̂ of one row
  T* u;        // [f] γ ⊙ e of one row
  T* score;    // [b]
  T* weights;  // [ttt_weights_size] the update before it is accepted
  T* rows;     // [ttt_rows_size] kFrame
  T* q;        // [b][f] turned
  T* k;        // [b][f]

  // Lays the parts out from `at` on and gives their end; with null only the size of it all.
  std::size_t lay_out(const TttShape& shape, T* at) {
    const auto [f, h, b] = TttWidths(shape);
    std::size_t used = 0;
    const auto take = [&](T*& part, std::size_t count) {
      part = at == nullptr ? nullptr : at + used;
      used += count;
    };
    const std::size_t narrow = std::size_t(b) * f;
    const std::size_t wide = std::size_t(b) * h;
    take(hidden, wide);
    take(slope, wide);
    take(scaled, std::max(narrow, wide));
    take(back, wide);
    take(g_t, narrow);
    take(target, narrow);
    take(out, narrow);
    take(normed, f);
    take(u, f);
    take(score, b);
    take(weights, ttt_weights_size(shape));
    take(rows, shape.form == TttForm::kFrame ? ttt_rows_size(with_rows(shape)) : 0);
    take(q, narrow);
    take(k, narrow);
    return used;
  }
};

template <class T>
T mean(const T* row, int f) {
  T sum = 0;
  for (int i = 0; i < f; ++i) sum += row[i];
  return sum / f;
}

// x̂ of a row; gives ρ.
template <class T>
T standardise(const T* z, int f, T eps, T* normed) {
  const T centre = mean(z, f);
  for (int i = 0; i < f; ++i) normed[i] = z[i] - centre;
  const T variance = plain::dot(normed, normed, f) / f;
  const T rho = 1 / std::sqrt(variance + eps);
  for (int i = 0; i < f; ++i) normed[i] *= rho;
  return rho;
}

template <class T>
bool all_finite(const T* values, std::size_t count) {
  constexpr T kLargest = std::numeric_limits<T>::max();
  unsigned bad = 0;
  for (std::size_t i = 0; i < count; ++i) bad |= std::abs(values[i]) <= kLargest ? 0u : 1u;
  return bad == 0;
}

// One head of one call.
template <class T>
class Head {
 public:
  Head(const TttShape& shape, const TttCall<T>& call, const TttState<T>& state, int head)
      : shape_(shape),
        f_(TttWidths(shape).f),
        h_(TttWidths(shape).h),
        b_(TttWidths(shape).b),
        call_(call),
        head_(head),
        gamma_(call.norm_weight + std::ptrdiff_t(head) * f_),
        beta_(call.norm_bias + std::ptrdiff_t(head) * f_) {
    work_.lay_out(shape, call.scratch.data());
    weights_ = state.weights + head * ttt_weights_size(shape);
    w_ = ttt_weight_parts(shape, weights_);
    T* const rows = shape.form == TttForm::kFrame ? work_.rows : state.rows + head * ttt_rows_size(shape);
    rows_ = ttt_row_parts(shape, rows);
  }

  // The next n tokens, none of them beyond the end of the mini-batch that has `open` tokens already.
  void run(int first, int n, int open, TttReport& report) {
    q_ = take_inputs(shape_, call_, call_.q, head_, first, n, work_.q);
    k_ = take_inputs(shape_, call_, call_.k, head_, first, n, work_.k);
    make_targets(first, n);
    learn(first, n, open);
    const bool ends = open + n == b_;
    if (call_.loss.init.data != nullptr) {
      write_losses(first, n, ttt_weight_parts(shape_, start()), call_.loss.init);
    }
    if (shape_.form == TttForm::kCausal) read_inside(first, n, open);
    if (ends) {
      ++report.closed;
      if (!update()) ++report.refused;
    }
    if (shape_.form == TttForm::kFrame) read_after(first, n);
    if (call_.loss.after.data != nullptr) {
      if (ends) {
        write_losses(first, n, w_, call_.loss.after);
      } else {
        for (int i = 0; i < n; ++i) *at(call_.loss.after, first + i) = std::numeric_limits<T>::quiet_NaN();
      }
    }
  }

 private:
  bool learns_first_layer() const { return h_ != 0 && shape_.update == TttUpdate::kAll; }

  template <class U>
  U* at(const TttView<U>& view, int token) const {
    return view.data + head_ * view.head_stride + token * view.token_stride;
  }

  const T* start() const { return call_.start + head_ * ttt_weights_size(shape_); }

  void make_targets(int first, int n) {
    for (int i = 0; i < n; ++i) {
      const T* const k = k_.row(i);
      const T* const v = at(call_.v, first + i);
      T* const target = work_.target + std::ptrdiff_t(i) * f_;
      for (int c = 0; c < f_; ++c) target[c] = v[c] - k[c];
      if (shape_.target == TttTarget::kResidual) continue;
      const T centre = mean(target, f_);
      for (int c = 0; c < f_; ++c) target[c] -= centre;
      const T deviation = std::sqrt(plain::dot(target, target, f_) / (f_ - 1));
      const T scale = 1 / (deviation + T(1e-8));
      for (int c = 0; c < f_; ++c) target[c] = gamma_[c] * (target[c] * scale) + beta_[c];
    }
  }

  // z of the inner model `w` at n rows `in`, into work_.out. The last layer's input goes to `hidden`.
  template <class U>
  void infer(LeftMatrix<T> in, int n, const TttWeightParts<U>& w, T* hidden, T* slope) {
    if (h_ == 0) return affine(in, n, f_, w.w1, w.b1, f_, work_.out);
    affine(in, n, f_, w.w1, w.b1, h_, hidden);
    plain::gelu(hidden, slope, std::size_t(n) * h_);
    affine({hidden, h_, 1}, n, h_, w.w2, w.b2, f_, work_.out);
  }

  static void affine(LeftMatrix<T> in, int n, int width, const T* w, const T* bias, int columns, T* out) {
    for (int i = 0; i < n; ++i) std::copy_n(bias, columns, out + std::ptrdiff_t(i) * columns);
    plain::multiply_add({n, width, columns}, in, w, columns, out, columns);
  }

  // e of row i of work_.out, which is left with x̂ in work_.normed. Gives ρ.
  T error(int i, T* e) {
    const T rho = standardise(work_.out + std::ptrdiff_t(i) * f_, f_, T(shape_.norm_eps), work_.normed);
    const T* const target = work_.target + std::ptrdiff_t(i) * f_;
    for (int c = 0; c < f_; ++c) e[c] = gamma_[c] * work_.normed[c] + beta_[c] - target[c];
    return rho;
  }

  // The first pass: rows open … open+n−1 of the mini-batch, all at W.
  void learn(int first, int n, int open) {
    T* const keys = rows_.k + std::ptrdiff_t(open) * f_;
    T* const hidden = h_ == 0 ? nullptr : rows_.x + std::ptrdiff_t(open) * h_;
    T* const g = rows_.g + std::ptrdiff_t(open) * f_;
    for (int i = 0; i < n; ++i) {
      std::copy_n(k_.row(i), f_, keys + std::ptrdiff_t(i) * f_);
    }
    take_rates(call_, head_, first, n, rows_.lr + open);
    infer({keys, f_, 1}, n, w_, hidden, work_.slope);
    for (int i = 0; i < n; ++i) {
      T* const u = work_.u;
      const T rho = error(i, u);
      if (call_.loss.before.data != nullptr) *at(call_.loss.before, first + i) = plain::dot(u, u, f_) / f_;
      for (int c = 0; c < f_; ++c) u[c] *= gamma_[c];
      const T* const normed = work_.normed;
      const T along_one = mean(u, f_);
      const T along_normed = plain::dot(u, normed, f_) / f_;
      T* const row = g + std::ptrdiff_t(i) * f_;
      for (int c = 0; c < f_; ++c) row[c] = rho * (u[c] - along_one - normed[c] * along_normed);
    }
    if (learns_first_layer()) back_propagate(g, n, rows_.g1 + std::ptrdiff_t(open) * h_);
  }

  // g1 = (g W2ᵀ) ⊙ slope. Done as W2 gᵀ, so that W2 is read along its rows and the tokens lie in the lanes.
  void back_propagate(const T* g, int n, T* g1) {
    for (int i = 0; i < n; ++i) {
      for (int c = 0; c < f_; ++c) work_.g_t[c * n + i] = g[i * f_ + c];
    }
    std::fill_n(work_.back, std::size_t(n) * h_, T(0));
    plain::multiply_add({h_, f_, n}, {w_.w2, f_, 1}, work_.g_t, n, work_.back, n);
    for (int i = 0; i < n; ++i) {
      for (int c = 0; c < h_; ++c) g1[i * h_ + c] = work_.back[c * n + i] * work_.slope[i * h_ + c];
    }
  }

  // out −= τ Σ_{j<count} lr_j (in·in_j + 1) g_j: what the mini-batch's first `count` tokens have changed in a
  // layer.
  void add_steps(const T* in, const T* in_rows, int in_width, const T* g_rows, int out_width, int count,
                 T tau, T* out) {
    for (int j = 0; j < count; ++j) {
      const T score = plain::dot(in, in_rows + std::ptrdiff_t(j) * in_width, in_width) + 1;
      work_.score[j] = -(tau * rows_.lr[j]) * score;
    }
    plain::multiply_add({1, count, out_width}, {work_.score, 0, 1}, g_rows, out_width, out, out_width);
  }

  // The second pass, causal: the i-th query reads W_i.
  void read_inside(int first, int n, int open) {
    const LeftMatrix<T> queries{q_.data, q_.stride, 1};
    const int width = h_ == 0 ? f_ : h_;
    T* const layer1 = h_ == 0 ? work_.out : work_.hidden;
    affine(queries, n, f_, w_.w1, w_.b1, width, layer1);
    for (int i = 0; i < n && (h_ == 0 || learns_first_layer()); ++i) {
      const T* const q = q_.row(i);
      const T* const g_rows = h_ == 0 ? rows_.g : rows_.g1;
      add_steps(q, rows_.k, f_, g_rows, width, open + i + 1, call_.token_scale[open + i], layer1 + i * width);
    }
    if (h_ != 0) {
      plain::gelu<T>(work_.hidden, nullptr, std::size_t(n) * h_);
      affine({work_.hidden, h_, 1}, n, h_, w_.w2, w_.b2, f_, work_.out);
      for (int i = 0; i < n; ++i) {
        const T* const x = work_.hidden + i * h_;
        add_steps(x, rows_.x, h_, rows_.g, f_, open + i + 1, call_.token_scale[open + i], work_.out + i * f_);
      }
    }
    write_results(first, n);
  }

  // The second pass, frame form: every query reads the W that the mini-batch left.
  void read_after(int first, int n) {
    infer({q_.data, q_.stride, 1}, n, w_, work_.hidden, nullptr);
    write_results(first, n);
  }

  // z = q + LN(inner model at q)
  void write_results(int first, int n) {
    for (int i = 0; i < n; ++i) {
      standardise(work_.out + i * f_, f_, T(shape_.norm_eps), work_.normed);
      const T* const q = q_.row(i);
      T* const z = at(call_.z, first + i);
      for (int c = 0; c < f_; ++c) z[c] = q[c] + (gamma_[c] * work_.normed[c] + beta_[c]);
    }
  }

  // Losses of the piece's tokens under any weights.
  template <class U>
  void write_losses(int first, int n, const TttWeightParts<U>& w, const TttView<T>& losses) {
    infer({k_.data, k_.stride, 1}, n, w, work_.hidden, nullptr);
    for (int i = 0; i < n; ++i) {
      error(i, work_.u);
      *at(losses, first + i) = plain::dot(work_.u, work_.u, f_) / f_;
    }
  }

  // W ← W − c (in ⊗ g) over the full mini-batch; false if the result was refused.
  bool update() {
    const std::size_t size = ttt_weights_size(shape_);
    std::copy_n(weights_, size, work_.weights);
    const auto next = ttt_weight_parts(shape_, work_.weights);
    const T tau = shape_.form == TttForm::kFrame ? T(1) / b_ : call_.token_scale[b_ - 1];
    for (int j = 0; j < b_; ++j) work_.score[j] = -(tau * rows_.lr[j]);
    if (h_ == 0) {
      step(rows_.k, f_, rows_.g, f_, next.w1, next.b1);
    } else {
      if (shape_.update == TttUpdate::kAll) step(rows_.k, f_, rows_.g1, h_, next.w1, next.b1);
      step(rows_.x, h_, rows_.g, f_, next.w2, next.b2);
    }
    if (call_.decay != nullptr) {
      const T alpha = call_.decay[head_];
      for (std::size_t i = 0; i < size; ++i) work_.weights[i] += alpha * (start()[i] - work_.weights[i]);
    }
    if (shape_.keep_row_norms) keep_row_norms(next);
    if (!all_finite(work_.weights, size)) return false;
    std::copy_n(work_.weights, size, weights_);
    return true;
  }

  void keep_row_norms(const TttWeightParts<T>& w) {
    const auto from = ttt_weight_parts(shape_, start());
    T* const last = h_ == 0 ? w.w1 : w.w2;
    const T* const last_start = h_ == 0 ? from.w1 : from.w2;
    for (int r = 0; r < (h_ == 0 ? f_ : h_); ++r) {
      T* const row = last + r * f_;
      const T* const row_start = last_start + r * f_;
      const T square = plain::dot(row, row, f_);
      if (!(square > 0 && square <= std::numeric_limits<T>::max())) continue;
      const T scale = std::sqrt(plain::dot(row_start, row_start, f_) / square);
      for (int c = 0; c < f_; ++c) row[c] *= scale;
    }
  }

  // One layer's part of it; work_.score holds −c.
  void step(const T* in, int in_width, const T* g, int out_width, T* w, T* bias) {
    for (int j = 0; j < b_; ++j) {
      for (int c = 0; c < in_width; ++c)
        work_.scaled[j * in_width + c] = work_.score[j] * in[j * in_width + c];
    }
    plain::multiply_add({in_width, b_, out_width}, {work_.scaled, 1, in_width}, g, out_width, w, out_width);
    plain::multiply_add({1, b_, out_width}, {work_.score, 0, 1}, g, out_width, bias, out_width);
  }

  const TttShape& shape_;
  const int f_, h_, b_;  // h_ = 0: linear
  const TttCall<T>& call_;
  const int head_;
  const T* const gamma_;
  const T* const beta_;
  Work<T> work_;
  T* weights_;  // the head's block
  TttWeightParts<T> w_;
  TttRowParts<T> rows_;
  TttInputRows<T> q_{}, k_{};  // of the piece at work
};

template <class T>
TttReport forward(const TttShape& shape, const TttCall<T>& call, TttState<T>& state) {
  return forward_in_pieces<Head<T>>(shape, call, state);
}

template <class T>
std::size_t scratch_size(const TttShape& shape) {
  return Work<T>().lay_out(shape, nullptr);
}

bool supports(const TttShape&) { return true; }

}  // namespace

template <class T>
TttBackend<T> ttt_scalar_backend() {
  return {"scalar",   supports, scratch_size<T>, forward<T>, ttt_scalar_backward_scratch_size<T>,
          ttt_scalar_backward<T>};
}

template TttBackend<float> ttt_scalar_backend();
template TttBackend<double> ttt_scalar_backend();

}  // namespace longtake
