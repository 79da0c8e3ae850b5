#include "models/stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/store/archive.h"
#include "models/inner/inner_config.h"

namespace longtake {
namespace {

std::string block_prefix(int i) { return fmt::format("blocks.{}.", i); }
std::string state_prefix(int i) { return fmt::format("stack.blocks.{}.", i); }

// Everything of the state that is not a block's.
struct Momentary {
  StackState& state;

  template <class Archive>
  void archive(Archive& a) {
    a("means", state.means);
    a("mean_count", state.mean_count);
    a("prediction", state.prediction);
    a("has_prediction", state.has_prediction);
    a("guards", state.guards);
  }
};

}  // namespace

TttBlockConfig ttt_block_config(const ModelConfig& config) {
  TttBlockConfig out;
  out.layer.model = config.inner == "mlp" ? TttModel::kMlp : TttModel::kLinear;
  out.layer.form = config.causal ? TttForm::kCausal : TttForm::kFrame;
  out.layer.update = config.update == "all" ? TttUpdate::kAll : TttUpdate::kLastLayer;
  out.layer.decay = config.decay;
  out.layer.keep_row_norms = config.keep_row_norms;
  out.layer.width = config.channels;
  out.layer.heads = config.heads;
  out.layer.mini_batch = config.tokens;  // one frame, so that the state is whole at each frame border
  out.layer.base_rate = config.base_rate;
  out.inner_width = config.swiglu;
  out.gated_residual = config.residual_gate;
  return out;
}

Result<StackWeights> load_stack(const ModelConfig& config, const TensorFile& file) {
  if (!has_ttt_layers(config)) {
    const std::string how = inner::takes_general_loop(config)
                                ? fmt::format(" with optimiser {} and mini_batch {}", config.optimiser, config.mini_batch)
                                : "";
    return Error{ErrorKind::kModel,
                 fmt::format("cannot watch with model \"{}\": its layers are of kind \"{}\"{}, which is there to be trained "
                             "and compared; only TTT layers (mlp, linear) with sgd and frame watch",
                             config.name, config.inner, how)};
  }
  const int means = static_cast<int>(config.running_means_s.size());
  const int horizons = static_cast<int>(config.horizons_s.size());
  StackWeights out;
  out.config = config;

  Error error;
  const auto take = [&](std::string_view name, std::vector<std::int64_t> shape) -> std::vector<float> {
    auto values = file.floats(name, std::move(shape));
    if (values) return std::move(values).value();
    if (error.message.empty()) error = values.error();
    return {};
  };
  const std::vector<float> mean = take("tokens.mean", {config.token_channels});
  const std::vector<float> scale = take("tokens.scale", {config.token_channels});
  const std::vector<float> projection = take("tokens.projection", {config.latent, config.token_channels});
  const int inputs = config.latent * (1 + means);
  const std::vector<float> input = take("input.weight", {config.channels, inputs});
  std::vector<float> input_bias = take("input.bias", {config.channels});
  out.position = take("position", {config.tokens, config.channels});
  out.norm.weight = take("norm.weight", {config.channels});
  const std::vector<float> head = take("head.weight", {horizons * config.latent, config.channels});
  const std::vector<float> head_bias = take("head.bias", {horizons * config.latent});
  out.mean_weights = take("mean_weights", {horizons, means});
  if (!error.message.empty()) return error;

  out.projection = dense_after_z_score(mean, scale, projection);
  out.input = dense_from(inputs, config.channels, input, std::move(input_bias));
  const auto latent = static_cast<std::size_t>(config.latent);
  for (int i = 0; i < horizons; ++i) {
    const std::size_t first = static_cast<std::size_t>(i) * latent;
    const std::size_t numbers = static_cast<std::size_t>(config.channels);
    out.heads.push_back(
        dense_from(config.channels, config.latent, std::span(head).subspan(first * numbers, latent * numbers),
                   {head_bias.begin() + static_cast<std::ptrdiff_t>(first),
                    head_bias.begin() + static_cast<std::ptrdiff_t>(first + latent)}));
  }
  for (int i = 0; i < config.layers; ++i) {
    auto block = load_ttt_block<float>(ttt_block_config(config), file, block_prefix(i));
    if (!block) return std::move(block).error();
    out.blocks.push_back(std::move(*block));
  }
  return out;
}

StackState start_state(const StackWeights& weights) {
  const ModelConfig& config = weights.config;
  const auto frame = static_cast<std::size_t>(config.tokens) * static_cast<std::size_t>(config.latent);
  StackState state;
  for (const auto& block : weights.blocks) state.blocks.push_back(start_state(block));
  state.means.resize(config.running_means_s.size() * frame);
  state.prediction.resize(frame);
  return state;
}

void save_state(const StackWeights& weights, const StackState& state, TensorFile& file) {
  for (int i = 0; i < static_cast<int>(state.blocks.size()); ++i) {
    const auto n = static_cast<std::size_t>(i);
    save_state(weights.blocks[n], state.blocks[n], file, state_prefix(i));
  }
  // A writer only reads, see StateWriter.
  Momentary momentary{const_cast<StackState&>(state)};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  StateWriter(file, "")("stack", momentary);
}

Result<StackState> load_state(const StackWeights& weights, const TensorFile& file) {
  StackState state = start_state(weights);
  for (int i = 0; i < static_cast<int>(state.blocks.size()); ++i) {
    const auto n = static_cast<std::size_t>(i);
    auto block = load_state(weights.blocks[n], file, state_prefix(i));
    if (!block) return std::move(block).error();
    state.blocks[n] = std::move(*block);
  }
  Momentary momentary{state};
  StateReader reader(file, "");
  reader("stack", momentary);
  if (!reader.result()) return reader.result().error();
  return state;
}

void break_off(StackState& state) {
  state.mean_count = 0;
  state.has_prediction = false;
}

StackObservation Stack::step(std::span<const float> tokens, double dt) {
  const ModelConfig& config = weights_.config;
  const auto n = static_cast<std::size_t>(config.tokens);
  const auto latent = static_cast<std::size_t>(config.latent);
  const auto channels = static_cast<std::size_t>(config.channels);
  const std::size_t means = config.running_means_s.size();
  if (tokens.size() != n * static_cast<std::size_t>(config.token_channels)) {
    throw std::invalid_argument("Stack::step: tokens must be [tokens][token channels] of the model");
  }

  x_.resize(n * latent);
  apply_dense<float>(weights_.projection, tokens, x_);

  StackObservation out;
  if (state_.has_prediction) {
    double sum = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const double e = static_cast<double>(x_[i]) - state_.prediction[i];
      sum += e * e;
    }
    out.next_latent_error = sum / static_cast<double>(x_.size());
  }
  update_means(x_, dt);

  const std::size_t width = latent * (1 + means);
  u_.resize(n * width);
  for (std::size_t t = 0; t < n; ++t) {
    float* row = &u_[t * width];
    const float* x = &x_[t * latent];
    std::copy_n(x, latent, row);
    for (std::size_t j = 0; j < means; ++j) {
      const float* mean = &state_.means[(j * n + t) * latent];
      for (std::size_t i = 0; i < latent; ++i) row[(1 + j) * latent + i] = mean[i] - x[i];
    }
  }
  h_.resize(n * channels);
  apply_dense<float>(weights_.input, u_, h_);
  for (std::size_t i = 0; i < h_.size(); ++i) h_[i] += weights_.position[i];

  for (std::size_t i = 0; i < weights_.blocks.size(); ++i) {
    const TttLayerReport report = ttt_block_forward<float>(weights_.blocks[i], state_.blocks[i], scratch_, h_);
    out.layers.push_back(report.loss);
    state_.guards += report.counts.refused;
  }
  std::vector<float>& normed = u_;
  normed.resize(h_.size());
  rms_norm<float>(weights_.norm, h_, normed);

  // The nearest horizon stands for "the next frame" at any frame rate.
  predicted_.resize(n * latent);
  apply_dense<float>(weights_.heads.front(), normed, predicted_);
  for (std::size_t i = 0; i < x_.size(); ++i) {
    float value = x_[i] + predicted_[i];
    for (std::size_t j = 0; j < means; ++j) {
      value += weights_.mean_weights[j] * (state_.means[j * x_.size() + i] - x_[i]);
    }
    state_.prediction[i] = value;
  }
  state_.has_prediction = true;
  return out;
}

void Stack::update_means(std::span<const float> x, double dt) {
  // A true mean until the time constant is filled, then an exponential one.
  const double least = 1 / (static_cast<double>(state_.mean_count) + 1);
  ++state_.mean_count;
  for (std::size_t j = 0; j < weights_.config.running_means_s.size(); ++j) {
    const double tau = weights_.config.running_means_s[j];
    const auto k = static_cast<float>(std::max(1 - std::exp(-dt / tau), least));
    float* mean = &state_.means[j * x.size()];
    for (std::size_t i = 0; i < x.size(); ++i) mean[i] += k * (x[i] - mean[i]);
  }
}

}  // namespace longtake
