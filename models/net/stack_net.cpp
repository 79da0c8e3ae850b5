#include "models/net/stack_net.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/net/feed_forward.h"
#include "models/net/products.h"
#include "models/net/rows.h"
#include "models/net/tensor_file.h"

namespace longtake {
namespace {

at::Tensor through(const definition::Parameters& parameters, const std::string& name, const at::Tensor& x) {
  const auto bias = parameters.find(name + ".bias");
  return linear_product(x, parameters.at(name + ".weight"), bias == parameters.end() ? at::Tensor() : bias->second);
}

// As Stack::update_means(); nothing in it is learned. For each frame and token x and, one after another, how far the means
// after the frame are from it: [B][T][tokens][1 + means][latent].
template <class T>
at::Tensor seen_of(const ModelConfig& config, const at::Tensor& x, const at::Tensor& dt, NetState& state) {
  const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), latent = x.size(3);
  const auto means = static_cast<std::int64_t>(config.running_means_s.size());
  const std::int64_t size = tokens * latent;
  at::Tensor out = at::empty({batch, frames, tokens, 1 + means, latent}, x.options());
  at::Tensor now = state.means.defined() ? state.means.clone() : at::zeros({batch, means, tokens, latent}, x.options());
  const at::Tensor seconds = dt.to(at::kDouble).contiguous();
  const at::Tensor from = x.contiguous();
  const T* frame = from.data_ptr<T>();
  T* seen = out.data_ptr<T>();
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < frames; ++t, frame += size, seen += (1 + means) * size) {
      const double least = 1 / (static_cast<double>(state.counts[static_cast<std::size_t>(b)]++) + 1);
      const double passed = seconds.data_ptr<double>()[b * frames + t];
      for (std::int64_t token = 0; token < tokens; ++token) {
        std::copy_n(frame + token * latent, latent, seen + token * (1 + means) * latent);
      }
      for (std::int64_t j = 0; j < means; ++j) {
        const double tau = config.running_means_s[static_cast<std::size_t>(j)];
        const auto k = static_cast<T>(std::max(1 - std::exp(-passed / tau), least));
        T* const mean = now.data_ptr<T>() + (b * means + j) * size;
        for (std::int64_t token = 0; token < tokens; ++token) {
          T* const apart = seen + (token * (1 + means) + 1 + j) * latent;
          for (std::int64_t i = 0; i < latent; ++i) {
            T& m = mean[token * latent + i];
            const T value = frame[token * latent + i];
            m += k * (value - m);
            apart[i] = m - value;
          }
        }
      }
    }
  }
  state.means = now;
  return out;
}

}  // namespace

std::vector<ParameterStart> stack_parameters(const ModelConfig& config) {
  constexpr double kSpread = 0.02;  // the paper's
  const std::int64_t c = config.channels;
  const std::int64_t latent = config.latent;
  const auto means = static_cast<std::int64_t>(config.running_means_s.size());
  const auto horizons = static_cast<std::int64_t>(config.horizons_s.size());
  std::vector<ParameterStart> out{
      {"input.weight", {c, latent * (1 + means)}, 1 / std::sqrt(static_cast<double>(latent))},
      {"input.bias", {c}},
      {"position", {config.tokens, c}, kSpread}};
  const std::unique_ptr<const Mixer> mixer = make_mixer(config);
  for (int i = 0; i < config.layers; ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    out.push_back({block + "seq_norm.weight", {c}, 0, 1});
    out.push_back({block + "ffn_norm.weight", {c}, 0, 1});
    if (config.residual_gate) out.push_back({block + "alpha", {c}, 0, 0.1});
    out.push_back({block + "mlp.gate_proj.weight", {config.swiglu, c}, kSpread});
    out.push_back({block + "mlp.up_proj.weight", {config.swiglu, c}, kSpread});
    out.push_back({block + "mlp.down_proj.weight", {c, config.swiglu}, kSpread});
    for (ParameterStart& part : mixer->parameters()) {
      part.name = block + "seq_modeling_block." + part.name;
      out.push_back(std::move(part));
    }
  }
  // The head adds nothing to the running means until it is trained.
  out.push_back({"norm.weight", {c}, 0, 1});
  out.push_back({"head.weight", {horizons * latent, c}});
  out.push_back({"head.bias", {horizons * latent}});
  out.push_back({"mean_weights", {horizons, means}});
  return out;
}

NetState detached(const NetState& state) {
  NetState out = state;
  for (MixerState& layer : out.layers) {
    for (at::Tensor& tensor : layer.tensors) {
      if (tensor.defined()) tensor = tensor.detach();
    }
  }
  return out;
}

Result<StackNet> StackNet::load(const ModelConfig& config, const TensorFile& file) {
  StackNet net;
  net.config_ = config;
  for (int i = 0; i < config.layers; ++i) net.mixers_.push_back(make_mixer(config));
  Error error;
  const auto take = [&](definition::Parameters& to, const ParameterStart& wanted) {
    auto tensor = tensor_of(file, wanted.name, wanted.shape);
    if (!tensor) {
      if (error.message.empty()) error = tensor.error();
      return;
    }
    to[wanted.name] = std::move(*tensor);
  };
  take(net.fixed_, {"tokens.mean", {config.token_channels}});
  take(net.fixed_, {"tokens.scale", {config.token_channels}});
  take(net.fixed_, {"tokens.projection", {config.latent, config.token_channels}});
  for (const ParameterStart& wanted : stack_parameters(config)) take(net.parameters_, wanted);
  if (!error.message.empty()) return error;
  return net;
}

TensorFile StackNet::save(TensorType type) const {
  TensorFile file;
  for (const auto& [name, tensor] : fixed_) file.tensors[name] = stored(tensor, type);
  for (const auto& [name, tensor] : parameters_) file.tensors[name] = stored(tensor, type);
  return file;
}

NetState StackNet::restarted(const NetState& state, const at::Tensor& begins) const {
  NetState out = state;
  const std::int64_t batch = begins.size(0);
  for (std::int64_t row = 0; row < batch; ++row) {
    // The next mean then takes all of its first frame.
    if (begins[row].item<bool>()) out.counts[static_cast<std::size_t>(row)] = 0;
  }
  for (std::size_t i = 0; i < out.layers.size(); ++i) {
    const auto start = mixers_[i]->start(parameters_, fmt::format("blocks.{}.seq_modeling_block.", i), batch);
    for (std::size_t j = 0; j < out.layers[i].tensors.size(); ++j) {
      at::Tensor& tensor = out.layers[i].tensors[j];
      std::vector<std::int64_t> shape(static_cast<std::size_t>(tensor.dim()), 1);
      shape[0] = batch;
      tensor = at::where(begins.view(shape), start.tensors[j], tensor);
    }
  }
  return out;
}

at::Tensor StackNet::latents(const at::Tensor& tokens) const {
  // A channel that never varies is not blown up, see load_stack().
  const at::Tensor normed = (tokens - fixed_.at("tokens.mean")) / at::clamp_min(fixed_.at("tokens.scale"), 1e-3);
  return linear_product(normed, fixed_.at("tokens.projection"));
}

at::Tensor StackNet::means_apart(const at::Tensor& x, const at::Tensor& dt, NetState& state) const {
  const at::Tensor all = seen(x, dt, state);
  return all.narrow(3, 1, all.size(3) - 1).permute({3, 0, 1, 2, 4});
}

at::Tensor StackNet::seen(const at::Tensor& x, const at::Tensor& dt, NetState& state) const {
  if (state.counts.empty()) state.counts.assign(static_cast<std::size_t>(x.size(0)), 0);
  return x.scalar_type() == at::kDouble ? seen_of<double>(config_, x, dt, state) : seen_of<float>(config_, x, dt, state);
}

at::Tensor StackNet::hidden(const at::Tensor& seen, Mix mix, std::vector<MixerState>& layers,
                            std::vector<at::Tensor>& before) const {
  at::Tensor h = linear_product(seen.flatten(3), parameters_.at("input.weight"),
                                parameters_.at("input.bias") + parameters_.at("position"));
  layers.resize(mixers_.size());
  for (std::size_t i = 0; i < mixers_.size(); ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    const auto normed = [&](const char* name) {
      return fast_rms_norm(h, parameters_.at(block + name + ".weight"), 1e-6);
    };
    MixerOutputs mixed = ((*mixers_[i]).*mix)(parameters_, block + "seq_modeling_block.", normed("seq_norm"), layers[i]);
    h = config_.residual_gate ? fast_add_scaled(h, at::tanh(parameters_.at(block + "alpha")), mixed.y) : h + mixed.y;
    const at::Tensor y = normed("ffn_norm");
    const auto weight = [&](const char* name) { return parameters_.at(block + "mlp." + name + ".weight"); };
    h = feed_forward(h, y, weight("gate_proj"), weight("up_proj"), weight("down_proj"));
    layers[i] = std::move(mixed.state);
    before.push_back(std::move(mixed.before));
  }
  return fast_rms_norm(h, parameters_.at("norm.weight"), 1e-6);
}

NetOutputs StackNet::forward(const at::Tensor& x, const at::Tensor& dt, const NetState& given) const {
  const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), latent = x.size(3);
  if (tokens != config_.tokens || latent != config_.latent || dt.size(0) != batch || dt.size(1) != frames) {
    throw std::invalid_argument("StackNet::forward: x must be [B][T][tokens][latent] and dt [B][T]");
  }
  NetOutputs out;
  out.state = given;
  const at::Tensor seen_frames = seen(x, dt, out.state);
  out.hidden = hidden(seen_frames, &Mixer::forward, out.state.layers, out.before);
  const auto horizons = static_cast<std::int64_t>(config_.horizons_s.size());
  const at::Tensor head = through(parameters_, "head", out.hidden).view({batch, frames, tokens, horizons, latent});
  const at::Tensor drawn = fast_drawn(seen_frames, parameters_.at("mean_weights"));
  out.drawn = drawn.permute({3, 0, 1, 2, 4});
  out.predictions = (drawn + head).permute({3, 0, 1, 2, 4});
  return out;
}

std::vector<at::Tensor> StackNet::probe(const at::Tensor& x, const at::Tensor& dt, const std::vector<MixerState>& memory) const {
  const std::int64_t batch = x.size(0), frames = x.size(1);
  NetState fresh;
  const at::Tensor seen_frames = seen(x, dt, fresh);
  // Every frame is a row of its own, with a memory of its own to leave behind.
  std::vector<MixerState> layers = memory;
  for (MixerState& layer : layers) {
    for (at::Tensor& tensor : layer.tensors) tensor = tensor.repeat_interleave(frames, 0);
  }
  std::vector<at::Tensor> before;
  (void)hidden(seen_frames.flatten(0, 1).unsqueeze(1), &Mixer::probe, layers, before);
  for (at::Tensor& loss : before) {
    if (loss.defined()) loss = loss.view({batch, frames});
  }
  return before;
}

at::Tensor StackNet::familiarity(const at::Tensor& x, const at::Tensor& dt, const std::vector<MixerState>& memory) const {
  const auto surprise = probe(x, dt, memory), at_first = probe(x, dt, {});
  std::vector<at::Tensor> layers;
  for (std::size_t i = 0; i < surprise.size(); ++i) {
    if (surprise[i].defined()) layers.push_back((at::log(at_first[i]) - at::log(surprise[i])).mean(1));
  }
  return layers.empty() ? at::Tensor() : at::stack(layers);
}

}  // namespace longtake
