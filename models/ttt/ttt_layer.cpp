#include "models/ttt/ttt_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/gelu.h"

namespace longtake {
namespace {

// Every head's part of a row to length 1.
template <class T>
void to_unit_length(std::span<T> rows, int head_width) {
  for (std::size_t at = 0; at < rows.size(); at += head_width) {
    T square = 0;
    for (int c = 0; c < head_width; ++c) square += rows[at + c] * rows[at + c];
    const T scale = 1 / std::max(std::sqrt(square), T(1e-12));
    for (int c = 0; c < head_width; ++c) rows[at + c] *= scale;
  }
}

// q and k, not yet turned by their positions.
template <class T>
void make_queries_and_keys(const TttLayerWeights<T>& w, TttLayerState<T>& state, TttScratch<T>& scratch,
                           std::span<const T> x, std::span<T> q, std::span<T> k) {
  const TttLayerConfig& config = w.config;
  if (config.share_qk) {
    typename TttScratch<T>::Scope scope(scratch);
    const auto shared = scope.take(x.size());
    apply_dense<T>(w.q, x, shared);
    apply_conv<T>(w.conv_q, state.conv_tail, shared, q);
    apply_conv<T>(w.conv_k, state.conv_tail, shared, k);
    push_tail<T>(state.conv_tail, shared);
  } else {
    apply_dense<T>(w.q, x, q);
    apply_dense<T>(w.k, x, k);
  }
  if (config.unit_qk) {
    to_unit_length(q, config.width / config.heads);
    to_unit_length(k, config.width / config.heads);
  }
}

// τ. The quotient is rounded to float first, as in the published models.
template <class T>
void make_token_scale(const std::vector<T>& offset, std::span<T> scale) {
  for (std::size_t i = 0; i < scale.size(); ++i) {
    scale[i] = std::max(T(1.0f / static_cast<float>(i + 1)) + offset[i], T(0));
  }
}

// Over the values that are there; NaN for none.
template <class T>
float mean_of_numbers(std::span<const T> values, bool skip_missing) {
  double sum = 0;
  std::size_t count = 0;
  for (const T value : values) {
    if (skip_missing && std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(sum / count);
}

template <class T>
void check(const TttLayerWeights<T>& w, const TttLayerState<T>& state, std::size_t n, std::size_t in, std::size_t out) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(std::string("ttt_layer_forward: ") + what);
  };
  const bool frames = w.config.form == TttForm::kFrame;
  require(n * w.config.width == in && in == out, "x and y must be [n][width]");
  require(n <= std::size_t(kMaxTttTokens), "too many tokens in one call");
  require(!frames || n % w.config.mini_batch == 0, "the tokens are not a multiple of the mini-batch");
  require(state.weights.size() == w.start.size(), "the state is of another layer");
}

template <class T>
void keep(std::vector<T>& where, std::span<const T> what) {
  where.assign(what.begin(), what.end());
}
// The same of q or k, as the inner loop turns them.
template <class T>
void keep_turned(const TttLayerConfig& config, const TttRope& rope, std::vector<T>& where, std::span<const T> rows) {
  where.resize(rows.size());
  const int f = config.width / config.heads;
  for (std::size_t at = 0; at < rows.size(); at += f) {
    ttt_turn(rope, static_cast<int>(at / config.width), f, rows.data() + at, where.data() + at);
  }
}

}  // namespace

template <class T>
TttLayerReport ttt_layer_forward(const TttLayerWeights<T>& w, TttLayerState<T>& state, TttScratch<T>& scratch,
                                 std::span<const T> x, std::span<T> y, const TttLayerOptions<T>& options) {
  const TttLayerConfig& config = w.config;
  const TttShape shape = config.shape();
  const std::size_t n = x.size() / config.width;
  check(w, state, n, x.size(), y.size());

  typename TttScratch<T>::Scope scope(scratch);
  const auto q = scope.take(x.size());
  const auto k = scope.take(x.size());
  const auto v = scope.take(x.size());
  const auto z = scope.take(x.size());
  const auto lr = scope.take(n * config.heads);
  make_queries_and_keys(w, state, scratch, x, q, k);
  apply_dense<T>(w.v, x, v);
  apply_dense<T>(w.rate, x, lr);
  const auto gate = scope.take(config.heads);
  std::fill(gate.begin(), gate.end(), T(config.base_rate) / (config.width / config.heads));
  const auto token_scale = scope.take(w.token_offset.size());
  make_token_scale(w.token_offset, token_scale);

  const int f = config.width / config.heads;
  const auto tokens_first = [&](std::span<const T> rows) { return TttView<const T>{rows.data(), f, config.width}; };
  const auto per_token = [&](std::span<T> values) { return TttView<T>{values.data(), std::ptrdiff_t(n), 1}; };
  const TttBackend<T>& backend = options.backend != nullptr ? *options.backend : ttt_best_backend<T>(shape);
  const auto before = scope.take(n * config.heads);
  const auto after = scope.take(n * config.heads);
  const auto init = scope.take(n * config.heads);

  TttCall<T> call;
  call.tokens = static_cast<int>(n);
  call.q = tokens_first(q);
  call.k = tokens_first(k);
  call.v = tokens_first(v);
  call.lr = {lr.data(), 1, config.heads};
  call.rope = {w.rope.cos.data(), w.rope.sin.data(), w.rope.period, state.position};
  call.gate = gate.data();
  call.token_scale = token_scale.data();
  call.norm_weight = w.norm_weight.data();
  call.norm_bias = w.norm_bias.data();
  call.z = {z.data(), f, config.width};
  call.loss.before = per_token(before);
  if (options.after) call.loss.after = per_token(after);
  if (options.probe != nullptr) call.loss.init = per_token(init);
  call.start = w.start.data();
  const auto decay = scope.take(config.heads);
  std::fill(decay.begin(), decay.end(), T(config.decay));
  if (config.decay > 0) call.decay = decay.data();
  call.scratch = scope.take(backend.scratch_size(shape));

  TttState<T> inner{state.weights.data(), state.rows.data(), state.open};
  TttLayerReport report;
  report.counts = ttt_forward(backend, shape, call, inner);
  state.open = inner.open;
  state.position = static_cast<int>((state.position + n) % w.rope.period);

  if (options.probe != nullptr) {
    keep_turned<T>(config, call.rope, options.probe->q, q);
    keep_turned<T>(config, call.rope, options.probe->k, k);
    keep<T>(options.probe->v, v);
    for (std::size_t i = 0; i < lr.size(); ++i) lr[i] = gate[i % config.heads] * sigmoid(lr[i]);
    keep<T>(options.probe->lr, lr);
    keep<T>(options.probe->z, z);
    keep<T>(options.probe->before, before);
    keep<T>(options.probe->after, after);
    keep<T>(options.probe->init, init);
  }
  report.loss.before = mean_of_numbers<T>(before, false);
  report.loss.after = options.after ? mean_of_numbers<T>(after, true) : std::numeric_limits<float>::quiet_NaN();
  report.loss.drift = static_cast<float>(ttt_drift<T>(shape, state.weights.data(), w.start.data()));

  layer_norm<T>(w.post_norm, z, z);
  if (config.gate) {
    const auto g = scope.take(x.size());
    apply_dense<T>(w.g, x, g);
    gelu<T>(g.data(), nullptr, g.size());
    for (std::size_t i = 0; i < z.size(); ++i) z[i] *= g[i];
  }
  apply_dense<T>(w.o, z, y);
  return report;
}

template TttLayerReport ttt_layer_forward(const TttLayerWeights<float>&, TttLayerState<float>&, TttScratch<float>&,
                                          std::span<const float>, std::span<float>, const TttLayerOptions<float>&);
template TttLayerReport ttt_layer_forward(const TttLayerWeights<double>&, TttLayerState<double>&, TttScratch<double>&,
                                          std::span<const double>, std::span<double>, const TttLayerOptions<double>&);

}  // namespace longtake
