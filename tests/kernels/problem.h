// A random inner-loop problem, its output buffers with guards, and the oracle.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/ttt.h"

namespace longtake {

// An output that is NaN before the call and has guards around it that must not be touched.
template <class T>
class Guarded {
 public:
  // `shift` moves it off the boundary of a cache line.
  explicit Guarded(std::size_t count, int shift = 0) : before_(kMargin + shift), all_(count + before_ + kMargin, kMark) {
    std::fill_n(data(), count, std::numeric_limits<T>::quiet_NaN());
  }
  T* data() { return all_.data() + before_; }
  std::size_t size() const { return all_.size() - before_ - kMargin; }
  std::vector<T> values() const { return {all_.begin() + before_, all_.end() - kMargin}; }
  bool intact() const {
    const auto is_mark = [](T value) { return value == kMark; };
    return std::all_of(all_.begin(), all_.begin() + before_, is_mark) &&
           std::all_of(all_.end() - kMargin, all_.end(), is_mark);
  }

 private:
  static constexpr int kMargin = 32;
  static constexpr T kMark = T(-7654321);
  int before_;
  AlignedVector<T> all_;
};

// An input, likewise with something that must not be read before and behind it.
template <class T>
Guarded<T> guarded_input(const std::vector<double>& values, int shift) {
  Guarded<T> out(values.size(), shift);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

template <class T>
struct Results {
  std::vector<T> z;                    // [heads][tokens][f]
  std::vector<T> before, after, init;  // [heads][tokens]
  std::vector<T> weights, rows;
  int open = 0;
  TttReport report;
  bool intact = true;
};

// Numbers are drawn in double and rounded to T, so that float and double solve the same problem.
struct Problem {
  TttShape shape;
  int tokens = 0;
  std::vector<double> q, k, v;      // [heads][tokens][f]
  std::vector<double> lr;           // [heads][tokens]
  std::vector<double> tau;          // [b]
  std::vector<double> gamma, beta;  // [heads][f]
  std::vector<double> start;        // [heads][weights]
  std::vector<double> alpha;        // [heads]; empty: no decay
  std::vector<double> carried;      // the weights before the first token, like start; empty: start
  std::vector<float> cos, sin;      // [period][f / 2]; empty: q and k come turned
  int period = 0, position = 0;
  std::vector<double> gate;  // [heads]; empty: lr comes as it is

  Problem(const TttShape& s, int token_count, unsigned seed, double rate = 0.5)
      : shape(s), tokens(token_count) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto draw = [&](std::size_t count, double centre, double spread) {
      std::vector<double> out(count);
      for (double& value : out) value = static_cast<float>(centre + spread * normal(random));
      return out;
    };
    const std::size_t f = s.head_width;
    const std::size_t rows = std::size_t(s.heads) * tokens;
    q = draw(rows * f, 0, 1);
    k = draw(rows * f, 0, 1);
    v = draw(rows * f, 0, 1);
    lr = draw(rows, rate / f, 0.2 * rate / f);
    for (int i = 1; i <= s.mini_batch; ++i)
      tau.push_back(static_cast<float>(1.0 / i + 0.02 * normal(random)));
    gamma = draw(s.heads * f, 1, 0.2);
    beta = draw(s.heads * f, 0, 0.2);
    start = draw(s.heads * ttt_weights_size(s), 0, 1 / std::sqrt(double(f)));
  }

  // From now on q and k come unturned and lr before its gate.
  void leave_inputs_unfinished(double rate = 0.5) {
    const int f = shape.head_width;
    period = shape.mini_batch + 3;  // so that rows of a mini-batch are not those of the table
    position = 2;
    for (int i = 0; i < period * f / 2; ++i) {
      cos.push_back(static_cast<float>(std::cos(0.7 * i)));
      sin.push_back(static_cast<float>(std::sin(0.7 * i)));
    }
    for (double& value : lr) value = static_cast<float>(4 * (value * f / rate - 1));
    for (int head = 0; head < shape.heads; ++head) gate.push_back(static_cast<float>((2 + head) * rate / f));
  }
  template <class T>
  void describe_inputs(TttCall<T>& call, int first, const T* gates) const {
    if (!cos.empty()) call.rope = {cos.data(), sin.data(), period, (position + first) % period};
    if (!gate.empty()) call.gate = gates;
  }

  const std::vector<double>& first_weights() const { return carried.empty() ? start : carried; }

  // In pieces of the given lengths, repeated until all tokens are through; every buffer begins `shift` numbers behind a
  // cache line's boundary.
  template <class T>
  Results<T> run(const TttBackend<T>& backend, const std::vector<int>& pieces = {1 << 20}, int shift = 0) const {
    const auto as = [&](const std::vector<double>& from) { return guarded_input<T>(from, shift); };
    auto tq = as(q), tk = as(k), tv = as(v), tlr = as(lr), ttau = as(tau), tg = as(gamma), tb = as(beta),
         tstart = as(start), talpha = as(alpha), tgate = as(gate);
    const std::ptrdiff_t f = shape.head_width;
    const std::size_t per_token = std::size_t(shape.heads) * tokens;
    Guarded<T> z(per_token * f, shift), before(per_token, shift), after(per_token, shift), init(per_token, shift);
    Guarded<T> weights(tstart.size(), shift), rows(shape.heads * ttt_rows_size(shape), shift);
    Guarded<T> scratch(backend.scratch_size(shape), shift);
    std::copy(first_weights().begin(), first_weights().end(), weights.data());
    TttState<T> state{weights.data(), rows.data(), 0};
    Results<T> out;
    std::size_t piece = 0;
    for (int first = 0; first < tokens; ++piece) {
      const int n = std::min(pieces[piece % pieces.size()], tokens - first);
      const auto row = [&](Guarded<T>& from) {
        return TttView<const T>{from.data() + first * f, tokens * f, f};
      };
      const auto loss = [&](Guarded<T>& to) { return TttView<T>{to.data() + first, tokens, 1}; };
      TttCall<T> call;
      call.tokens = n;
      call.q = row(tq);
      call.k = row(tk);
      call.v = row(tv);
      call.lr = {tlr.data() + first, tokens, 1};
      call.token_scale = ttau.data();
      call.norm_weight = tg.data();
      call.norm_bias = tb.data();
      call.z = {z.data() + first * f, tokens * f, f};
      call.loss = {loss(before), loss(after), loss(init)};
      call.start = tstart.data();
      call.decay = alpha.empty() ? nullptr : talpha.data();
      describe_inputs(call, first, tgate.data());
      call.scratch = {scratch.data(), backend.scratch_size(shape)};
      const TttReport report = ttt_forward(backend, shape, call, state);
      out.report.closed += report.closed;
      out.report.refused += report.refused;
      first += n;
    }
    out.z = z.values();
    out.before = before.values();
    out.after = after.values();
    out.init = init.values();
    out.weights = weights.values();
    out.rows = rows.values();
    out.open = state.open;
    out.intact = z.intact() && before.intact() && after.intact() && init.intact() && weights.intact() &&
                 rows.intact() && scratch.intact();
    return out;
  }
};

// The primal form in double, one token at a time with whole gradients of the size of W, from the text of the
// paper: it shares nothing with the dual form that it is compared with.
Results<double> primal(const Problem& problem);

// Largest |a − b|; NaN if the lengths differ or one of a pair only is NaN.
template <class A, class B>
double distance(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::quiet_NaN();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    const double error = std::abs(double(a[i]) - double(b[i]));
    if (std::isnan(error)) return error;
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace longtake
