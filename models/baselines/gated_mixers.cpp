// GRU and LSTM. What comes from the input is one product for the whole window; only h · W_h goes frame by frame.
#include <cmath>

#include <ATen/ATen.h>

#include "models/baselines/parts.h"
#include "models/baselines/rival_mixers.h"
#include "models/net/products.h"

namespace longtake {
namespace {

std::vector<ParameterStart> gated_parameters(std::int64_t channels, std::int64_t gates, bool two_biases) {
  // The variance that PyTorch's uniform numbers have.
  const double spread = 1 / std::sqrt(3.0 * static_cast<double>(channels));
  std::vector<ParameterStart> out{{"input.weight", {gates * channels, channels}, spread},
                                  {"input.bias", {gates * channels}},
                                  {"recurrent.weight", {gates * channels, channels}, spread}};
  if (two_biases) out.push_back({"recurrent.bias", {gates * channels}});
  out.push_back({"o_proj.weight", {channels, channels}, 1 / std::sqrt(static_cast<double>(channels))});
  return out;
}

class GruMixer final : public Mixer {
 public:
  explicit GruMixer(const ModelConfig& config) : tokens_(config.tokens), channels_(config.channels) {}

  std::vector<ParameterStart> parameters() const override { return gated_parameters(channels_, 3, true); }

  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    return {{at::zeros({batch, tokens_, channels_}, Below(parameters, prefix)["input.weight"].options())}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    at::Tensor h = state.tensors.empty() ? start(parameters, prefix, x.size(0)).tensors[0] : state.tensors[0];
    std::vector<at::Tensor> seen;
    for (const at::Tensor& in : linear_product(x, of["input.weight"], of["input.bias"]).unbind(1)) {
      const auto i = in.split(channels_, -1);
      const auto j = linear_product(h, of["recurrent.weight"], of["recurrent.bias"]).split(channels_, -1);
      const at::Tensor r = at::sigmoid(i[0] + j[0]);
      const at::Tensor z = at::sigmoid(i[1] + j[1]);
      const at::Tensor n = at::tanh(i[2] + r * j[2]);
      h = n + z * (h - n);
      seen.push_back(h);
    }
    return {linear_product(at::stack(seen, 1), of["o_proj.weight"]), {{h}}, {}};
  }

 private:
  std::int64_t tokens_, channels_;
};

class LstmMixer final : public Mixer {
 public:
  explicit LstmMixer(const ModelConfig& config) : tokens_(config.tokens), channels_(config.channels) {}

  std::vector<ParameterStart> parameters() const override { return gated_parameters(channels_, 4, false); }

  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    const at::Tensor nothing =
        at::zeros({batch, tokens_, channels_}, Below(parameters, prefix)["input.weight"].options());
    return {{nothing, nothing}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    const MixerState from = state.tensors.empty() ? start(parameters, prefix, x.size(0)) : state;
    at::Tensor h = from.tensors[0], c = from.tensors[1];
    std::vector<at::Tensor> seen;
    for (const at::Tensor& in : linear_product(x, of["input.weight"], of["input.bias"]).unbind(1)) {
      const auto g = (in + linear_product(h, of["recurrent.weight"])).split(channels_, -1);
      c = at::sigmoid(g[0] + 1) * c + at::sigmoid(g[1]) * at::tanh(g[2]);
      h = at::sigmoid(g[3]) * at::tanh(c);
      seen.push_back(h);
    }
    return {linear_product(at::stack(seen, 1), of["o_proj.weight"]), {{h, c}}, {}};
  }

 private:
  std::int64_t tokens_, channels_;
};

}  // namespace

std::unique_ptr<Mixer> gru_mixer(const ModelConfig& config) { return std::make_unique<GruMixer>(config); }
std::unique_ptr<Mixer> lstm_mixer(const ModelConfig& config) { return std::make_unique<LstmMixer>(config); }

}  // namespace longtake
