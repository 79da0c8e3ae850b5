// Note: The way back
//   W before step t is never built: W_{t−1} = W_0 + Σ_{s<t} g_sᵀ e_s, so what a step needs of it is a product with W_0 and
//   one with the rows g_s, e_s of the steps before; likewise P and W1. D is the gradient of the state after the step, and
//   is carried from the last step to the first. Per step, with y what z was read with (x, or kMlp the features):
//     ∂z = ∂L/∂z − ∂e               (kMlp: ∂L/∂z − c ∂e)
//     D_W ← D_W + yᵀ ∂z,  ∂y += W_{t−1} ∂zᵀ
#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/recall.h"
#include "kernels/recall_entry.h"

namespace longtake {
namespace {

template <class T, class Products>
class Backward {
 public:
  Backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& to)
      : shape_(shape),
        call_(call),
        n_(shape.keys),
        h_(shape.hidden),
        values_(shape.values),
        read_(shape.rule == RecallRule::kMlp ? shape.hidden : shape.keys),
        start_(recall_parts(shape, start)),
        to_(to),
        d_(recall_parts(shape, to.state)) {
    T* at = call.scratch.data();
    const auto take = [&](std::ptrdiff_t rows, std::ptrdiff_t columns) { return std::exchange(at, at + rows * columns); };
    e_ = take(call.steps, values_);
    g_ = take(call.steps, read_);
    p_ = take(call.steps, read_);
    rows_ = take(5 * std::ptrdiff_t(call.steps), read_);
    size_ = take(call.steps, 1);
    near_ = take(call.steps, 1);
    de_ = take(1, values_);
    dz_ = take(1, values_);
    spare_ = take(6, std::max({n_, read_, values_}));
    q_ = take(call.steps, n_);
    state_ = take(shape.rule == RecallRule::kRls ? n_ : (shape.rule == RecallRule::kMlp ? n_ + 1 : 0),
                  shape.rule == RecallRule::kMlp ? h_ : n_);
  }

  static std::size_t scratch_size(const RecallShape& shape, std::size_t steps) {
    const auto n = std::size_t(shape.keys), h = std::size_t(shape.hidden), values = std::size_t(shape.values);
    const std::size_t read = shape.rule == RecallRule::kMlp ? h : n;
    const std::size_t state = shape.rule == RecallRule::kRls ? n * n : shape.rule == RecallRule::kMlp ? (n + 1) * h : 0;
    return steps * (values + 7 * read + 2 + n) + 2 * values + 6 * std::max({n, read, values}) + state;
  }

  void run() {
    for (int t = 0; t < call_.steps; ++t) {
      const T* v = call_.v + t * call_.v_stride;
      const T* z = call_.z + t * call_.z_stride;
      for (int i = 0; i < values_; ++i) e(t)[i] = v[i] - z[i];
    }
    switch (shape_.rule) {
      case RecallRule::kDelta: return delta();
      case RecallRule::kRls: return rls();
      case RecallRule::kMlp: return mlp();
    }
  }

 private:
  const T* x(int t) const { return call_.x + t * call_.x_stride; }
  T* e(int t) { return e_ + std::ptrdiff_t(t) * values_; }
  T* g(int t) { return g_ + std::ptrdiff_t(t) * read_; }
  T* p(int t) { return p_ + std::ptrdiff_t(t) * read_; }
  T* dx(int t) { return to_.x + std::ptrdiff_t(t) * n_; }
  T* dv(int t) { return to_.v + std::ptrdiff_t(t) * values_; }
  const T* d_out(int t) const { return to_.z + std::ptrdiff_t(t) * values_; }

  // to [columns] = a [rows] · M [rows][columns]
  static void through(const T* a, int rows, const T* m, int columns, T* to) {
    std::fill_n(to, columns, T(0));
    Products::multiply_add({1, rows, columns}, {a, rows, 1}, m, columns, to, columns);
  }
  // to [rows] = M [rows][columns] · a [columns]
  static void against(const T* m, int rows, int columns, const T* a, T* to) {
    for (int i = 0; i < rows; ++i) to[i] = Products::dot(m + std::ptrdiff_t(i) * columns, a, columns);
  }
  // M [rows][columns] += aᵀ b
  static void add_outer(T* m, const T* a, int rows, const T* b, int columns) {
    Products::multiply_add({rows, 1, columns}, {a, 1, 1}, b, columns, m, columns);
  }
  static void add(const T* from, int count, T factor, T* to) {
    for (int i = 0; i < count; ++i) to[i] += factor * from[i];
  }
  // to [rows] = W_{t−1} a, with W_{t−1} = start + Σ_{s<t} gain_sᵀ error_s; `near`: how alike a and each error_s are.
  void before(int t, const T* start, int rows, const T* gains, const T* errors, int columns, const T* a, T* to) {
    against(start, rows, columns, a, to);
    for (int s = 0; s < t; ++s) near_[s] = Products::dot(errors + std::ptrdiff_t(s) * columns, a, columns);
    if (t > 0) Products::multiply_add({1, t, rows}, {near_, t, 1}, gains, rows, to, rows);
  }

  // The part of a step that kDelta and kRls share, from its gain: ∂v, ∂z in dz_, ∂gain in `d_gain`, D_W moved on, and
  // W_{t−1} ∂z in dx(t).
  void step(int t, T* d_gain) {
    through(g(t), n_, d_.w, values_, de_);
    against(d_.w, n_, values_, e(t), d_gain);
    const T* out = d_out(t);
    for (int i = 0; i < values_; ++i) {
      dv(t)[i] = de_[i];
      dz_[i] = out[i] - de_[i];
    }
    add_outer(d_.w, x(t), n_, dz_, values_);
    before(t, start_.w, n_, g_, e_, values_, dz_, dx(t));
  }

  void delta() {
    for (int t = 0; t < call_.steps; ++t) {
      for (int i = 0; i < n_; ++i) g(t)[i] = call_.c[t] * x(t)[i];
    }
    T* const d_gain = spare_;
    for (int t = call_.steps - 1; t >= 0; --t) {
      step(t, d_gain);
      to_.c[t] = Products::dot(x(t), d_gain, n_);
      add(d_gain, n_, call_.c[t], dx(t));
    }
  }

  void rls() {
    // p, λ + p·x and the gains again. `state_` is P.
    std::copy_n(start_.p, std::ptrdiff_t(n_) * n_, state_);
    for (int t = 0; t < call_.steps; ++t) {
      through(x(t), n_, state_, n_, p(t));
      size_[t] = call_.lambda + Products::dot(p(t), x(t), n_);
      for (int i = 0; i < n_; ++i) g(t)[i] = call_.c[t] * p(t)[i] / size_[t];
      const T root = std::sqrt(call_.c[t] / size_[t]);
      for (int i = 0; i < n_; ++i) spare_[i] = root * p(t)[i];
      for (int i = 0; i < n_; ++i) {
        T* row = state_ + std::ptrdiff_t(i) * n_;
        for (int j = 0; j < n_; ++j) row[j] -= spare_[i] * spare_[j];
      }
    }
    const std::ptrdiff_t room = std::max({n_, read_, values_});
    T* const d_gain = spare_;
    T* const dp = spare_ + room;
    T* const left = spare_ + 2 * room;   // p D_P
    T* const right = spare_ + 3 * room;  // D_P pᵀ
    T* const back = spare_ + 4 * room;
    T* const lessened = rows_;  // −g_s, so that P_{t−1} = P_0 + Σ (−g_s)ᵀ p_s
    for (std::ptrdiff_t i = 0; i < std::ptrdiff_t(call_.steps) * n_; ++i) lessened[i] = -g_[i];
    to_.lambda = 0;
    for (int t = call_.steps - 1; t >= 0; --t) {
      step(t, d_gain);
      const T c = call_.c[t], size = size_[t], share = c / size;
      through(p(t), n_, d_.p, n_, left);
      against(d_.p, n_, n_, p(t), right);
      const T d_share = Products::dot(d_gain, p(t), n_) - Products::dot(left, p(t), n_);
      const T d_size = -d_share * c / (size * size);
      to_.c[t] = d_share / size;
      to_.lambda += d_size;
      for (int i = 0; i < n_; ++i) dp[i] = share * (d_gain[i] - left[i] - right[i]) + d_size * x(t)[i];
      add(p(t), n_, d_size, dx(t));
      before(t, start_.p, n_, lessened, p_, n_, dp, back);
      add(back, n_, T(1), dx(t));
      add_outer(d_.p, x(t), n_, dp, n_);
    }
  }

  void mlp() {
    const std::ptrdiff_t steps = call_.steps;
    const T scale = std::sqrt(T(n_));
    const T width = T(values_);
    // Per step, kept from a second way forward: raw gelu, its slopes, y, G, u; r in size_. `state_` is W1, b1.
    T* const raw = p_;
    T* const slope = rows_;
    T* const curve = rows_ + steps * h_;
    T* const y = rows_ + 2 * steps * h_;
    T* const gain = rows_ + 3 * steps * h_;  // G
    T* const u = rows_ + 4 * steps * h_;
    T* const w1 = state_;
    T* const b1 = state_ + std::ptrdiff_t(n_) * h_;
    std::copy_n(start_.w1, std::ptrdiff_t(n_) * h_, w1);
    std::copy_n(start_.b1, h_, b1);
    const std::ptrdiff_t room = std::max({n_, read_, values_});
    T* const error = spare_;  // v − z
    for (int t = 0; t < call_.steps; ++t) {
      const std::ptrdiff_t at = std::ptrdiff_t(t) * h_;
      T* const q = q_ + std::ptrdiff_t(t) * n_;
      for (int i = 0; i < n_; ++i) q[i] = scale * x(t)[i];
      std::copy_n(b1, h_, raw + at);
      Products::multiply_add({1, n_, h_}, {q, n_, 1}, w1, h_, raw + at, h_);
      plain::gelu(raw + at, slope + at, curve + at, static_cast<std::size_t>(h_));
      const T r = 1 / std::sqrt(Products::dot(raw + at, raw + at, h_) + T(shape_.feature_eps));
      size_[t] = r;
      for (int i = 0; i < h_; ++i) y[at + i] = r * raw[at + i];
      for (int i = 0; i < values_; ++i) e(t)[i] *= call_.c[t];
      before(t, start_.w, h_, y, e_, values_, e(t), u + at);
      for (int i = 0; i < h_; ++i) {
        u[at + i] /= width;
        gain[at + i] = call_.rate * u[at + i] * r * slope[at + i];
      }
      add_outer(w1, q, n_, gain + at, h_);
      add(gain + at, h_, T(1), b1);
    }

    T* const dq = spare_ + room;
    T* const dy = spare_ + 2 * room;
    T* const du = spare_ + 3 * room;
    T* const da = spare_ + 4 * room;
    T* const more = spare_ + 5 * room;
    to_.rate = 0;
    for (int t = call_.steps - 1; t >= 0; --t) {
      const std::ptrdiff_t at = std::ptrdiff_t(t) * h_;
      const T* const q = q_ + std::ptrdiff_t(t) * n_;
      const T c = call_.c[t], r = size_[t];
      // W1 ← W1 + qᵀ G, b1 ← b1 + G
      T* const d_gain = da;
      through(q, n_, d_.w1, h_, d_gain);
      add(d_.b1, h_, T(1), d_gain);
      against(d_.w1, n_, h_, gain + at, dq);
      // W2 ← W2 + yᵀ e
      through(y + at, h_, d_.w, values_, de_);
      against(d_.w, h_, values_, e(t), dy);
      // G = rate · u ⊙ r slope; r and the slope move with the features.
      T d_r = 0;
      T* const d_slope = more;
      for (int i = 0; i < h_; ++i) {
        const T d_step = d_gain[i] * call_.rate;
        to_.rate += d_gain[i] * u[at + i] * r * slope[at + i];
        du[i] = d_step * r * slope[at + i] / width;
        d_r += d_step * u[at + i] * slope[at + i];
        d_slope[i] = d_step * u[at + i] * r;
      }
      // u = e W2ᵀ / V, with W2 as it was.
      through(du, h_, start_.w, values_, error);
      add(error, values_, T(1), de_);
      for (int s = 0; s < t; ++s) {
        add(e(s), values_, Products::dot(du, y + std::ptrdiff_t(s) * h_, h_), de_);
      }
      add_outer(d_.w, du, h_, e(t), values_);
      // e = c (v − z)
      const T* v = call_.v + t * call_.v_stride;
      const T* z = call_.z + t * call_.z_stride;
      const T* out = d_out(t);
      T d_c = 0;
      for (int i = 0; i < values_; ++i) {
        d_c += de_[i] * (v[i] - z[i]);
        dv(t)[i] = c * de_[i];
        dz_[i] = out[i] - c * de_[i];
      }
      to_.c[t] = d_c;
      // z = y W2
      before(t, start_.w, h_, y, e_, values_, dz_, du);
      add(du, h_, T(1), dy);
      add_outer(d_.w, y + at, h_, dz_, values_);
      // y = r raw, r = (raw·raw + eps)^(−1/2)
      d_r += Products::dot(dy, raw + at, h_);
      for (int i = 0; i < h_; ++i) {
        const T d_raw = r * dy[i] - d_r * r * r * r * raw[at + i];
        da[i] = d_raw * slope[at + i] + d_slope[i] * curve[at + i];
      }
      // a = q W1 + b1
      before(t, start_.w1, n_, q_, gain, h_, da, more);
      add_outer(d_.w1, q, n_, da, h_);
      add(da, h_, T(1), d_.b1);
      for (int i = 0; i < n_; ++i) dx(t)[i] = scale * (dq[i] + more[i]);
    }
  }

  const RecallShape& shape_;
  const RecallCall<T>& call_;
  const int n_, h_, values_, read_;
  const RecallParts<const T> start_;
  RecallGradients<T>& to_;
  const RecallParts<T> d_;
  T *e_, *g_, *p_, *rows_, *size_, *near_, *de_, *dz_, *spare_, *q_, *state_;
};

template <class T, class Products>
void backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& to) {
  recall_entry::check_backward(shape, call, start, to);
  to.lambda = 0;
  to.rate = 0;
  Backward<T, Products>(shape, call, start, to).run();
}

}  // namespace

std::size_t recall_backward_scratch_size(const RecallShape& shape, int steps) {
  recall_state_size(shape);  // checks it
  return Backward<float, PlainProducts>::scratch_size(shape, static_cast<std::size_t>(std::max(steps, 0)));
}

template <class T>
void recall_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& to) {
  backward<T, FastProducts>(shape, call, start, to);
}
namespace plain {
template <class T>
void recall_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& to) {
  backward<T, PlainProducts>(shape, call, start, to);
}
}  // namespace plain

#define LONGTAKE_INSTANTIATE(T)                                                                                       \
  template void recall_backward(const RecallShape&, const RecallCall<T>&, const T*, RecallGradients<T>&);             \
  namespace plain {                                                                                                   \
  template void recall_backward(const RecallShape&, const RecallCall<T>&, const T*, RecallGradients<T>&);             \
  }
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
