#include "models/net/ttt_mixer.h"

#include <cmath>

#include <ATen/ATen.h>

#include "models/stack.h"

namespace longtake {

TttMixer::TttMixer(const ModelConfig& config, definition::Operations operations)
    : layer_(ttt_block_config(config).layer),
      rope_(mini_batch_rope(layer_.mini_batch, layer_.width / layer_.heads, layer_.rope_theta)),
      operations_(std::move(operations)) {}

std::vector<ParameterStart> TttMixer::parameters() const {
  constexpr double kSpread = 0.02;  // the paper's
  const std::int64_t c = layer_.width;
  const std::int64_t nh = layer_.heads;
  const std::int64_t f = c / nh;
  std::vector<ParameterStart> out;
  // Projections that keep the scale of their input, so that keys and values are worth learning from the first frame.
  for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    out.push_back({std::string(name) + ".weight", {c, c}, 1 / std::sqrt(static_cast<double>(c))});
  }
  out.push_back({"learnable_ttt_lr_weight", {nh, 1, c}, kSpread});
  out.push_back({"learnable_ttt_lr_bias", {nh, 1}});
  if (layer_.form == TttForm::kCausal) out.push_back({"learnable_token_idx", {layer_.mini_batch}});
  out.push_back({"ttt_norm_weight", {nh, f}, 0, 1});
  out.push_back({"ttt_norm_bias", {nh, f}});
  out.push_back({"post_norm.weight", {c}, 0, 1});
  out.push_back({"post_norm.bias", {c}});
  const bool deep = layer_.model == TttModel::kMlp;
  out.push_back({"W1", {nh, f, deep ? 4 * f : f}, kSpread});
  out.push_back({"b1", {nh, 1, deep ? 4 * f : f}});
  if (deep) {
    out.push_back({"W2", {nh, 4 * f, f}, kSpread});
    out.push_back({"b2", {nh, 1, f}});
  }
  return out;
}

MixerState TttMixer::start(const definition::Parameters& parameters, std::string_view prefix, std::int64_t batch) const {
  const auto weights = definition::start_weights(layer_, parameters, prefix);
  MixerState out;
  for (const at::Tensor& part : {weights.w1, weights.b1, weights.w2, weights.b2}) {
    if (part.defined()) out.tensors.push_back(part.expand({batch, part.size(1), part.size(2), part.size(3)}));
  }
  return out;
}

MixerOutputs TttMixer::forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                               const MixerState& state) const {
  return run(parameters, prefix, x, state, false);
}

MixerOutputs TttMixer::probe(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                             const MixerState& state) const {
  return run(parameters, prefix, x, state, true);
}

MixerOutputs TttMixer::run(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                           const MixerState& state, bool probing) const {
  const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), width = x.size(3);
  definition::FastWeights start;
  if (!state.tensors.empty()) start = {state.tensors[0], state.tensors[1], {}, {}};
  if (state.tensors.size() > 2) start.w2 = state.tensors[2], start.b2 = state.tensors[3];
  const auto out = definition::layer(layer_, rope_, parameters, prefix, x.reshape({batch, frames * tokens, width}), start,
                                     operations_);
  MixerOutputs mixed;
  mixed.y = out.y.view({batch, frames, tokens, width});
  mixed.state.tensors = {out.end.w1, out.end.b1};
  if (out.end.w2.defined()) mixed.state.tensors.insert(mixed.state.tensors.end(), {out.end.w2, out.end.b2});
  const at::Tensor before =
      probing ? definition::inner_loss(layer_.shape(), out.inner, start.w1.defined() ? start : out.inner.learned_start) : out.before;
  mixed.before = before.view({batch, layer_.heads, frames, tokens}).mean(at::IntArrayRef{1, 3});
  return mixed;
}

}  // namespace longtake
