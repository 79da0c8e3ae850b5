// The backward pass of kernels/ttt_backward.h over small matrix products: the plain backend and the vector ones differ
// only in where those come from, the class Math. Included once per Highway target.
//
// Per mini-batch, from the last to the first: the first pass again, with all that it computes on the way; the
// queries' pass, forwards and backwards; the state's step, the inner gradient and the first pass, backwards.
// A name d_x is ∂L/∂x.
#if defined(LONGTAKE_TTT_BACKWARD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LONGTAKE_TTT_BACKWARD_INL_H
#undef LONGTAKE_TTT_BACKWARD_INL_H
#else
#define LONGTAKE_TTT_BACKWARD_INL_H
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "kernels/aligned.h"
#include "kernels/dense.h"
#include "kernels/ttt_backward.h"
#include "kernels/ttt_inputs.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
namespace {

// A layer of the inner model in one mini-batch.
template <class T>
struct Layer {
  int in_width = 0;
  int out_width = 0;
  bool learns = true;
  std::size_t w = 0;       // where its matrix lies in a block of weights
  std::size_t bias = 0;    //
  T* in = nullptr;         // [b][in_width] in the keys' pass
  T* g = nullptr;          // [b][out_width] ∂ℓ/∂(what it gives)
  T* in_read = nullptr;    // [b][in_width] in the queries' pass
  T* score = nullptr;      // [b][pairs_stride] in_read · in for j ≤ i; kCausal only
  T* d_in = nullptr;       // like in
  T* d_g = nullptr;        // like g
  T* d_in_read = nullptr;  // like in_read
};

// Of rows of pairs of tokens: Math::pairs() writes up to three numbers more than there are.
constexpr int pairs_stride(int b) { return (b + 3) / 4 * 4; }

// Numbers in a cache line.
template <class T>
inline constexpr std::size_t kLine = kCacheLine / sizeof(T);

// What one head works in.
template <class T>
struct Work {
  Layer<T> layers[2];
  int depth = 0;

  // First pass.
  T* slope;      // [b][h] gelu'
  T* curve;      // [b][h] gelu''
  T* back;       // [b][h] g W2ᵀ
  T* unit;       // [b][f] the normalised target before γ and β
  T* deviation;  // [b] of v − k
  T* target;     // [b][f]
  T* normed;     // [b][f] x̂
  T* rho;        // [b]
  T* e;          // [b][f]
  T* lr;         // [b]
  // Queries' pass.
  T* slope_read;   // [b][h]
  T* normed_read;  // [b][f]
  T* rho_read;     // [b]
  // Gradients, of this mini-batch.
  T* d_out;     // [b][f] of what the last layer gives, in either pass
  T* d_hidden;  // [b][h] of what the first layer gives, before gelu
  T* d_target;  // [b][f]
  T* d_lr;      // [b]
  T* d_tau;     // [b]
  T* d_gamma;   // [f]
  T* d_beta;    // [f]
  // Sums over the mini-batches, and what rounding has cost them so far.
  T* sums;  // [2][b + 2f]
  // Passing use.
  T* steps;      // [b][pairs_stride]
  T* d_score;    // [b][pairs_stride]
  T* minus_c;    // [b]
  T* zeros;      // [b]
  T* row;        // [max(f, h)]
  T* rows;       // [b][max(f, h)]
  T* turned;     // [max(f, h)][b]
  T* product;    // [max(f, h)][b]
  T* row_scale;  // [f or h] what keep_row_norms has multiplied each row by
  T* after;      // [weights] at the end of the mini-batch
  T* kept;       // [every − 1][weights] at the start of each mini-batch of a group but the first

  // Lays the parts out from `at` on and gives their end; with null only the size of it all.
  std::size_t lay_out(const TttShape& shape, int every, T* at) {
    const std::size_t f = shape.head_width;
    const std::size_t h = shape.model == TttModel::kMlp ? shape.hidden_width : 0;
    const std::size_t b = shape.mini_batch;
    const std::size_t pairs = shape.form == TttForm::kCausal ? b * pairs_stride(shape.mini_batch) : 0;
    const std::size_t size = ttt_weights_size(shape);
    std::size_t used = 0;
    const auto take = [&](std::size_t count) {
      T* const part = at == nullptr ? nullptr : at + used;
      used += (count + kLine<T> - 1) / kLine<T> * kLine<T>;
      return part;
    };
    const auto take_layer = [&](std::size_t in, std::size_t out, std::size_t first, bool learns) {
      Layer<T> layer;
      layer.in_width = int(in);
      layer.out_width = int(out);
      layer.learns = learns;
      layer.w = first;
      layer.bias = first + in * out;
      layer.in = take(b * in);
      layer.g = take(b * out);
      layer.in_read = take(b * in);
      layer.score = take(pairs);
      layer.d_in = take(b * in);
      layer.d_g = take(b * out);
      layer.d_in_read = take(b * in);
      layers[depth++] = layer;
    };
    depth = 0;
    if (h == 0) {
      take_layer(f, f, 0, true);
    } else {
      take_layer(f, h, 0, shape.update == TttUpdate::kAll);
      take_layer(h, f, f * h + h, true);
    }
    for (T** wide : {&slope, &curve, &back, &slope_read, &d_hidden}) *wide = take(b * h);
    for (T** narrow : {&unit, &target, &normed, &e, &normed_read, &d_out, &d_target}) *narrow = take(b * f);
    for (T** column : {&deviation, &rho, &lr, &rho_read, &d_lr, &d_tau, &minus_c, &zeros}) *column = take(b);
    for (T** one : {&d_gamma, &d_beta}) *one = take(f);
    sums = take(2 * (b + 2 * f));
    for (T** square : {&steps, &d_score}) *square = take(pairs);
    const std::size_t widest = std::max(f, h);
    for (T** one : {&row, &row_scale}) *one = take(widest);
    for (T** block : {&rows, &turned, &product}) *block = take(b * widest);
    after = take(size);
    kept = take((every - 1) * size);
    return used;
  }
};

// x̂ of a row, which may be in place; gives ρ.
template <class Math, class T>
T standardise(const T* z, int f, T eps, T* normed) {
  const T centre = Math::sum(z, f) / f;
  for (int i = 0; i < f; ++i) normed[i] = z[i] - centre;
  const T variance = Math::dot(normed, normed, f) / f;
  const T rho = 1 / std::sqrt(variance + eps);
  for (int i = 0; i < f; ++i) normed[i] *= rho;
  return rho;
}

// out = ρ (a − mean a − x̂ mean(a ⊙ x̂)): the derivative of x̂, which is its own transpose.
template <class Math, class T>
void through_norm(const T* a, const T* normed, T rho, int f, T* out) {
  const T along_one = Math::sum(a, f) / f;
  const T along_normed = Math::dot(a, normed, f) / f;
  for (int c = 0; c < f; ++c) out[c] = rho * (a[c] - along_one - normed[c] * along_normed);
}

// One head of one call.
template <class T, class Math>
class Head {
 public:
  Head(const TttShape& shape, const TttCall<T>& call, const TttCheckpoints<T>& checkpoints,
       const TttGradients<T>& gradients, int head)
      : shape_(shape),
        f_(shape.head_width),
        h_(shape.model == TttModel::kMlp ? shape.hidden_width : 0),
        b_(shape.mini_batch),
        pairs_(pairs_stride(shape.mini_batch)),
        causal_(shape.form == TttForm::kCausal),
        size_(ttt_weights_size(shape)),
        call_(call),
        checkpoints_(checkpoints),
        gradients_(gradients),
        head_(head),
        gamma_(call.norm_weight + std::ptrdiff_t(head) * f_),
        beta_(call.norm_bias + std::ptrdiff_t(head) * f_),
        d_weights_(gradients.weights + head * size_) {
    const std::size_t misplaced = reinterpret_cast<std::uintptr_t>(call.scratch.data()) / sizeof(T) % kLine<T>;
    work_.lay_out(shape, checkpoints.every, call.scratch.data() + (kLine<T> - misplaced) % kLine<T>);
  }

  void run() {
    std::fill_n(work_.sums, 2 * sums_size(), T(0));
    std::fill_n(work_.zeros, b_, T(0));
    const int every = checkpoints_.every;
    for (int end = (call_.tokens + b_ - 1) / b_; end > 0;) {
      const int group = (end - 1) / every;
      const int first = group * every;
      for (int m = first; m + 1 < end; ++m) {
        enter(m, first, end);
        learn();
        step(work_.kept + (m - first) * size_);
      }
      for (int m = end - 1; m >= first; --m) {
        enter(m, first, end);
        go_back();
      }
      end = first;
    }
    const T* sum = work_.sums;
    if (causal_) add(sum, b_, gradients_.token_scale + std::ptrdiff_t(head_) * b_);
    add(sum + b_, f_, gradients_.norm_weight + std::ptrdiff_t(head_) * f_);
    add(sum + b_ + f_, f_, gradients_.norm_bias + std::ptrdiff_t(head_) * f_);
  }

 private:
  template <class U>
  U* at(const TttView<U>& view, int i) const {  // token i of the mini-batch
    return view.data + head_ * view.head_stride + (first_ + i) * view.token_stride;
  }
  const T* start() const { return call_.start + head_ * size_; }
  Layer<T>& last() { return work_.layers[work_.depth - 1]; }
  bool first_learns() const { return h_ != 0 && work_.layers[0].learns; }
  T step_scale() const { return causal_ ? call_.token_scale[b_ - 1] : T(1) / b_; }
  std::size_t sums_size() const { return std::size_t(b_) + 2 * f_; }

  static void add(const T* values, int count, T* to) {
    for (int i = 0; i < count; ++i) to[i] += values[i];
  }

  // W at the start of mini-batch m, the first of a group.
  const T* checkpoint(int m) const {
    const int every = checkpoints_.every;
    const int count = ttt_checkpoint_count(shape_, call_.tokens, every);
    return checkpoints_.weights + (std::size_t(head_) * count + m / every) * size_;
  }

  // Mini-batch m of the group from `first` to `end`.
  void enter(int m, int first, int end) {
    const int mini_batches = (call_.tokens + b_ - 1) / b_;
    w_ = m > first ? work_.kept + (m - first - 1) * size_ : checkpoint(first);
    // W after it has been kept as well, unless nothing comes after it.
    after_ = nullptr;
    if (m + 1 < end) {
      after_ = work_.kept + (m - first) * size_;
    } else if (m + 1 < mini_batches) {
      after_ = checkpoint(m + 1);
    }
    first_ = m * b_;
    n_ = std::min(b_, call_.tokens - first_);
  }

  void go_back() {
    learn();
    for (Layer<T>* layer = work_.layers; layer < work_.layers + work_.depth; ++layer) {
      std::fill_n(layer->d_in, n_ * layer->in_width, T(0));
      std::fill_n(layer->d_g, n_ * layer->out_width, T(0));
    }
    std::fill_n(work_.d_lr, b_, T(0));
    std::fill_n(work_.d_tau, b_, T(0));
    std::fill_n(work_.d_gamma, f_, T(0));
    std::fill_n(work_.d_beta, f_, T(0));
    const bool ends = n_ == b_;
    // d_weights_ is ∂L/∂W for W after the mini-batch until the step has been undone, then for W before it.
    if (ends && (shape_.keep_row_norms || (!causal_ && after_ == nullptr))) {
      step(work_.after);
      after_ = work_.after;
    }
    if (!causal_) read_and_go_back(after_);
    if (ends) {
      settle_back();
      step_back();
    }
    if (causal_) read_and_go_back(w_);
    learn_back();
    for (int j = 0; j < n_; ++j) *at(gradients_.lr, j) = rate_back(call_, head_, work_.lr[j], work_.d_lr[j]);
    sum_up(work_.d_tau, b_, 0);
    sum_up(work_.d_gamma, f_, b_);
    sum_up(work_.d_beta, f_, b_ + f_);
  }

  // Compensated (Kahan), so that a long call costs no digits.
  void sum_up(const T* values, int count, int to) {
    T* const sum = work_.sums + to;
    T* const lost = sum + sums_size();
    for (int i = 0; i < count; ++i) {
      const T value = values[i] - lost[i];
      const T next = sum[i] + value;
      lost[i] = (next - sum[i]) - value;
      sum[i] = next;
    }
  }

  // --- forwards, in the order of additions of the forward pass: W comes out with the same bits ---

  void affine(const Layer<T>& layer, const T* in, const T* weights, T* out) {
    const int columns = layer.out_width;
    Math::multiply({n_, layer.in_width, columns}, {in, layer.in_width, 1}, weights + layer.w, columns,
                   weights + layer.bias, 0, out, columns);
  }

  // The mini-batch's rows of q or k as the inner loop wants them, [n][f].
  void take(const TttView<const T>& view, T* to) {
    const TttInputRows<T> rows = take_inputs(shape_, call_, view, head_, first_, n_, to);
    if (rows.data == to) return;
    for (int i = 0; i < n_; ++i) std::copy_n(rows.row(i), f_, to + i * f_);
  }

  void make_targets() {
    for (int i = 0; i < n_; ++i) {
      const T* const k = work_.layers[0].in + i * f_;
      const T* const v = at(call_.v, i);
      T* const target = work_.target + i * f_;
      for (int c = 0; c < f_; ++c) target[c] = v[c] - k[c];
      if (shape_.target == TttTarget::kResidual) continue;
      T* const unit = work_.unit + i * f_;
      const T centre = Math::sum(target, f_) / f_;
      for (int c = 0; c < f_; ++c) target[c] -= centre;
      work_.deviation[i] = std::sqrt(Math::dot(target, target, f_) / (f_ - 1));
      const T scale = 1 / (work_.deviation[i] + T(1e-8));
      for (int c = 0; c < f_; ++c) unit[c] = target[c] * scale;
      for (int c = 0; c < f_; ++c) target[c] = gamma_[c] * unit[c] + beta_[c];
    }
  }

  // The first pass at w_.
  void learn() {
    Layer<T>& first = work_.layers[0];
    take(call_.k, first.in);
    take_rates(call_, head_, first_, n_, work_.lr);
    make_targets();
    if (h_ != 0) {
      affine(first, first.in, w_, last().in);
      Math::gelu(last().in, work_.slope, work_.curve, std::size_t(n_) * h_);
    }
    affine(last(), last().in, w_, work_.normed);
    for (int i = 0; i < n_; ++i) {
      T* const normed = work_.normed + i * f_;
      T* const e = work_.e + i * f_;
      work_.rho[i] = standardise<Math>(normed, f_, T(shape_.norm_eps), normed);
      for (int c = 0; c < f_; ++c) e[c] = gamma_[c] * normed[c] + beta_[c] - work_.target[i * f_ + c];
      for (int c = 0; c < f_; ++c) work_.row[c] = e[c] * gamma_[c];
      through_norm<Math>(work_.row, normed, work_.rho[i], f_, last().g + i * f_);
    }
    if (!first_learns()) return;
    std::fill_n(work_.back, n_ * h_, T(0));
    add_transposed(last().g, last(), w_, work_.back);
    for (int i = 0; i < n_ * h_; ++i) first.g[i] = work_.back[i] * work_.slope[i];
  }

  // W at the end of a whole mini-batch.
  void step(T* next) {
    make_steps();
    for (const Layer<T>* layer = work_.layers; layer < work_.layers + work_.depth; ++layer) {
      const int in_width = layer->in_width;
      const int columns = layer->out_width;
      const T* const w = w_ + layer->w;
      const T* const bias = w_ + layer->bias;
      if (!layer->learns) {
        std::copy_n(w, in_width * columns, next + layer->w);
        std::copy_n(bias, columns, next + layer->bias);
        continue;
      }
      scale_rows(layer->in, in_width);
      Math::multiply({in_width, b_, columns}, {work_.rows, 1, in_width}, layer->g, columns, w, columns, next + layer->w,
                     columns);
      Math::multiply({1, b_, columns}, {work_.minus_c, 0, 1}, layer->g, columns, bias, 0, next + layer->bias, columns);
    }
    if (call_.decay != nullptr) {
      const T alpha = call_.decay[head_];
      for (std::size_t i = 0; i < size_; ++i) next[i] += alpha * (start()[i] - next[i]);
    }
    if (shape_.keep_row_norms) keep_row_norms(next + last().w);
  }

  // −c_j, c_j = lr_j times what the step scales it by.
  void make_steps() {
    for (int j = 0; j < b_; ++j) work_.minus_c[j] = -(step_scale() * work_.lr[j]);
  }

  // work_.rows = −c_j in_j
  void scale_rows(const T* in, int width) {
    for (int j = 0; j < b_; ++j) {
      for (int c = 0; c < width; ++c) work_.rows[j * width + c] = work_.minus_c[j] * in[j * width + c];
    }
  }

  void keep_row_norms(T* matrix) {
    const T* const from = start() + last().w;
    for (int r = 0; r < last().in_width; ++r) {
      T* const row = matrix + r * f_;
      const T square = Math::dot(row, row, f_);
      work_.row_scale[r] = 1;
      if (!(square > 0 && square <= std::numeric_limits<T>::max())) continue;
      work_.row_scale[r] = std::sqrt(Math::dot(from + r * f_, from + r * f_, f_) / square);
      for (int c = 0; c < f_; ++c) row[c] *= work_.row_scale[r];
    }
  }

  // The queries' pass: at `weights`, and in the causal form with what the mini-batch has changed so far.
  void read(const T* weights) {
    take(call_.q, work_.layers[0].in_read);
    if (h_ != 0) {
      read(work_.layers[0], weights, last().in_read);
      Math::gelu(last().in_read, work_.slope_read, std::size_t(n_) * h_);
    }
    read(last(), weights, work_.normed_read);
    for (int i = 0; i < n_; ++i) {
      T* const row = work_.normed_read + i * f_;
      work_.rho_read[i] = standardise<Math>(row, f_, T(shape_.norm_eps), row);
    }
  }

  void read(Layer<T>& layer, const T* weights, T* out) {
    affine(layer, layer.in_read, weights, out);
    if (!causal_ || !layer.learns) return;
    Math::pairs(n_, layer.in_width, layer.in_read, layer.in, layer.score, pairs_);
    weigh_scores(layer);
    Math::multiply_add({n_, n_, layer.out_width}, {work_.steps, pairs_, 1}, layer.g, layer.out_width, out,
                       layer.out_width);
  }

  // work_.steps = −M ⊙ S, S = score + 1, M_ij = τ_i lr_j for j ≤ i
  void weigh_scores(const Layer<T>& layer) {
    for (int i = 0; i < n_; ++i) {
      T* const row = work_.steps + i * pairs_;
      for (int j = 0; j <= i; ++j) {
        row[j] = -(call_.token_scale[i] * work_.lr[j]) * (layer.score[i * pairs_ + j] + 1);
      }
      std::fill(row + i + 1, row + n_, T(0));
    }
  }

  // --- backwards ---

  void read_and_go_back(const T* weights) {
    read(weights);
    T* const d_q = work_.layers[0].d_in_read;
    for (int i = 0; i < n_; ++i) {
      const T* const d_z = at(gradients_.z, i);
      const T* const normed = work_.normed_read + i * f_;
      for (int c = 0; c < f_; ++c) {
        work_.d_beta[c] += d_z[c];
        work_.d_gamma[c] += d_z[c] * normed[c];
        work_.row[c] = gamma_[c] * d_z[c];
      }
      through_norm<Math>(work_.row, normed, work_.rho_read[i], f_, work_.d_out + i * f_);
      std::copy_n(d_z, f_, d_q + i * f_);
    }
    if (h_ != 0) std::fill_n(last().d_in_read, n_ * h_, T(0));
    read_back(last(), weights, work_.d_out);
    if (h_ != 0) {
      for (int i = 0; i < n_ * h_; ++i) work_.d_hidden[i] = last().d_in_read[i] * work_.slope_read[i];
      read_back(work_.layers[0], weights, work_.d_hidden);
    }
    for (int i = 0; i < n_; ++i) {
      T* const to = at(gradients_.q, i);
      std::copy_n(d_q + i * f_, f_, to);
      if (call_.rope.cos != nullptr) turn_back(call_.rope, first_ + i, f_, to);
    }
  }

  // d_out: of what the layer gives.
  void read_back(Layer<T>& layer, const T* weights, const T* d_out) {
    affine_back(layer, layer.in_read, weights, d_out, layer.d_in_read);
    if (!causal_ || !layer.learns) return;
    const int in_width = layer.in_width;
    const int columns = layer.out_width;
    Math::pairs(n_, columns, d_out, layer.g, work_.d_score, pairs_);
    for (int i = 0; i < n_; ++i) {
      const T tau = call_.token_scale[i];
      T* const d_score = work_.d_score + i * pairs_;
      for (int j = 0; j <= i; ++j) {
        const T t = d_score[j];
        const T d_step = -t * (layer.score[i * pairs_ + j] + 1);  // of M_ij
        work_.d_lr[j] += tau * d_step;
        work_.d_tau[i] += work_.lr[j] * d_step;
        d_score[j] = -(tau * work_.lr[j]) * t;
      }
      std::fill(d_score + i + 1, d_score + n_, T(0));
    }
    weigh_scores(layer);
    Math::multiply_add({n_, n_, columns}, {work_.steps, 1, pairs_}, d_out, columns, layer.d_g, columns);
    Math::multiply_add({n_, n_, in_width}, {work_.d_score, 1, pairs_}, layer.in_read, in_width, layer.d_in, in_width);
    Math::multiply_add({n_, n_, in_width}, {work_.d_score, pairs_, 1}, layer.in, in_width, layer.d_in_read, in_width);
  }

  // Of in W + b: ∂L/∂W and ∂L/∂b go to d_weights_; ∂L/∂in is added to d_in.
  void affine_back(const Layer<T>& layer, const T* in, const T* weights, const T* d_out, T* d_in) {
    const int in_width = layer.in_width;
    const int columns = layer.out_width;
    Math::multiply_add({in_width, n_, columns}, {in, 1, in_width}, d_out, columns, d_weights_ + layer.w, columns);
    for (int i = 0; i < n_; ++i) add(d_out + i * columns, columns, d_weights_ + layer.bias);
    add_transposed(d_out, layer, weights, d_in);
  }

  // to += rows Wᵀ, done as W rowsᵀ, so that W is read along its rows and the tokens lie in the lanes.
  void add_transposed(const T* rows, const Layer<T>& layer, const T* weights, T* to) {
    const int in_width = layer.in_width;
    const int columns = layer.out_width;
    Math::transpose(n_, columns, rows, work_.turned);
    Math::multiply({in_width, columns, n_}, {weights + layer.w, columns, 1}, work_.turned, n_, work_.zeros, 0,
                   work_.product, n_);
    Math::add_transposed(in_width, n_, work_.product, to);
  }

  // Decay and kept row norms. With r' = s r, s = ‖r₀‖ / ‖r‖:
  // dr = s (dr' − r' (r'·dr') / ‖r₀‖²),  dr₀ = r₀ (r'·dr') / ‖r₀‖².
  void settle_back() {
    T* const d_start = gradients_.start == nullptr ? nullptr : gradients_.start + head_ * size_;
    if (shape_.keep_row_norms) {
      for (int r = 0; r < last().in_width; ++r) {
        const std::size_t row = last().w + std::size_t(r) * f_;
        const T square = Math::dot(start() + row, start() + row, f_);
        const T along = square > 0 ? Math::dot(work_.after + row, d_weights_ + row, f_) / square : T(0);
        for (int c = 0; c < f_; ++c) {
          const std::size_t i = row + c;
          d_start[i] += along * start()[i];
          d_weights_[i] = work_.row_scale[r] * (d_weights_[i] - along * work_.after[i]);
        }
      }
    }
    if (call_.decay == nullptr) return;
    const T alpha = call_.decay[head_];
    for (std::size_t i = 0; i < size_; ++i) {
      d_start[i] += alpha * d_weights_[i];
      d_weights_[i] -= alpha * d_weights_[i];
    }
  }

  // W − Σ_j c_j in_j ⊗ g_j, with D = d_weights_, which passes on to W as it is.
  void step_back() {
    make_steps();
    for (Layer<T>* layer = work_.layers; layer < work_.layers + work_.depth; ++layer) {
      if (!layer->learns) continue;
      const int columns = layer->out_width;
      affine(*layer, layer->in, d_weights_, work_.rows);  // in D + d
      for (int j = 0; j < b_; ++j) {
        const T* const row = work_.rows + j * columns;
        const T d_c = -Math::dot(row, layer->g + j * columns, columns);
        work_.d_lr[j] += step_scale() * d_c;
        if (causal_) work_.d_tau[b_ - 1] += work_.lr[j] * d_c;
        for (int c = 0; c < columns; ++c) layer->d_g[j * columns + c] += work_.minus_c[j] * row[c];
      }
      scale_rows(layer->g, columns);
      add_transposed(work_.rows, *layer, d_weights_, layer->d_in);
    }
  }

  // The inner gradient's own derivative and the first pass.
  void learn_back() {
    std::fill_n(work_.d_hidden, n_ * h_, T(0));
    if (first_learns()) {
      // g1 = (g W2ᵀ) ⊙ gelu'(·)
      const T* const d_g1 = work_.layers[0].d_g;
      for (int i = 0; i < n_ * h_; ++i) {
        work_.rows[i] = d_g1[i] * work_.slope[i];
        work_.d_hidden[i] = d_g1[i] * work_.back[i] * work_.curve[i];
      }
      Math::multiply_add({n_, h_, f_}, {work_.rows, h_, 1}, w_ + last().w, f_, last().d_g, f_);
      Math::multiply_add({h_, n_, f_}, {work_.rows, 1, h_}, last().g, f_, d_weights_ + last().w, f_);
    }
    for (int i = 0; i < n_; ++i) norm_back(i);
    affine_back(last(), last().in, w_, work_.d_out, last().d_in);
    if (h_ != 0) {
      for (int i = 0; i < n_ * h_; ++i) work_.d_hidden[i] += last().d_in[i] * work_.slope[i];
      affine_back(work_.layers[0], work_.layers[0].in, w_, work_.d_hidden, work_.layers[0].d_in);
    }
    for (int i = 0; i < n_; ++i) {
      const T* const d_target = work_.d_target + i * f_;
      T* const d_k = at(gradients_.k, i);
      T* const d_v = at(gradients_.v, i);
      for (int c = 0; c < f_; ++c) {
        d_k[c] = work_.layers[0].d_in[i * f_ + c] - d_target[c];
        d_v[c] = d_target[c];
      }
      if (call_.rope.cos != nullptr) turn_back(call_.rope, first_ + i, f_, d_k);
    }
  }

  // Row i of g = ρ (u − mean u − x̂ mean(u ⊙ x̂)), u = γ ⊙ e, e = γ ⊙ x̂ + β − T, x̂ the standardised z: from
  // ∂L/∂g to ∂L/∂z, which goes to d_out, and ∂L/∂(v − k), which goes to d_target.
  void norm_back(int i) {
    const T* const d_g = last().d_g + i * f_;
    const T* const g = last().g + i * f_;
    const T* const normed = work_.normed + i * f_;
    const T* const e = work_.e + i * f_;
    const T* const unit = work_.unit + i * f_;
    const T rho = work_.rho[i];
    T* const d_z = work_.d_out + i * f_;
    T* const d_target = work_.d_target + i * f_;
    T* const d_u = d_target;
    through_norm<Math>(d_g, normed, rho, f_, d_u);
    T* const d_normed = work_.row;
    for (int c = 0; c < f_; ++c) d_normed[c] = gamma_[c] * e[c];  // u
    const T u_along = Math::dot(d_normed, normed, f_) / f_;
    const T d_along = Math::dot(d_g, normed, f_) / f_;
    const bool residual = shape_.target == TttTarget::kResidual;
    for (int c = 0; c < f_; ++c) {
      const T d_e = gamma_[c] * d_u[c];
      d_normed[c] = gamma_[c] * d_e - rho * (d_g[c] * u_along + d_normed[c] * d_along);
      work_.d_gamma[c] += d_u[c] * (e[c] + gamma_[c] * normed[c]);
      // A normalised target has the same β, so that e does not depend on it, and the same γ.
      if (residual) {
        work_.d_beta[c] += d_e;
      } else {
        work_.d_gamma[c] -= d_e * unit[c];
      }
      d_target[c] = -d_e;
    }
    through_norm<Math>(d_normed, normed, rho, f_, d_z);
    const T d_rho = Math::dot(d_g, g, f_) / f_ * rho;  // by way of the factor ρ of g
    for (int c = 0; c < f_; ++c) d_z[c] -= d_rho * normed[c];
    if (!residual) through_target(i, d_target);
  }

  // ∂L/∂T of a normalised target ← ∂L/∂(v − k).
  void through_target(int i, T* d_target) {
    const T* const unit = work_.unit + i * f_;
    const T deviation = work_.deviation[i];
    for (int c = 0; c < f_; ++c) d_target[c] *= gamma_[c];
    // A deviation of 0 has no derivative; it counts as a constant.
    const T along = deviation > 0 ? Math::dot(d_target, unit, f_) / (deviation * (f_ - 1)) : T(0);
    const T scale = 1 / (deviation + T(1e-8));
    for (int c = 0; c < f_; ++c) d_target[c] = d_target[c] * scale - unit[c] * along;
    const T centre = Math::sum(d_target, f_) / f_;
    for (int c = 0; c < f_; ++c) d_target[c] -= centre;
  }

  const TttShape& shape_;
  const int f_, h_, b_;  // h_ = 0: linear
  const int pairs_;      // from row to row of pairs of tokens
  const bool causal_;
  const std::size_t size_;
  const TttCall<T>& call_;
  const TttCheckpoints<T>& checkpoints_;
  const TttGradients<T>& gradients_;
  const int head_;
  const T* const gamma_;
  const T* const beta_;
  T* const d_weights_;
  Work<T> work_;
  // The mini-batch in hand.
  int first_ = 0;         // token
  int n_ = 0;             // tokens
  const T* w_ = nullptr;      // W at its start
  const T* after_ = nullptr;  // W at its end, where it is known
};

template <class T>
std::size_t backward_scratch_size(const TttShape& shape, int every) {
  return Work<T>().lay_out(shape, every, nullptr) + kLine<T>;
}

template <class T, class Math>
void backward(const TttShape& shape, const TttCall<T>& call, const TttCheckpoints<T>& checkpoints,
              const TttGradients<T>& gradients) {
  for (int head = 0; head < shape.heads; ++head) Head<T, Math>(shape, call, checkpoints, gradients, head).run();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#endif
