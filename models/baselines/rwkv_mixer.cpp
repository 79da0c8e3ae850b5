#include <cmath>

#include <ATen/ATen.h>

#include "models/baselines/parts.h"
#include "models/baselines/rival_mixers.h"
#include "models/net/products.h"

namespace longtake {
namespace {

class RwkvMixer final : public Mixer {
 public:
  explicit RwkvMixer(const ModelConfig& config) : tokens_(config.tokens), channels_(config.channels) {}

  std::vector<ParameterStart> parameters() const override {
    const std::int64_t c = channels_;
    const double spread = 1 / std::sqrt(static_cast<double>(c));
    // As the paper begins: channels from those that keep a hundred frames to those that forget within one, and from those
    // that look at the frame before to those that look at this one.
    return {{"r_proj.weight", {c, c}, spread}, {"k_proj.weight", {c, c}, spread}, {"v_proj.weight", {c, c}, spread},
            {"o_proj.weight", {c, c}, spread}, {"r_mix", {c}, 0, 0.5, 1},         {"k_mix", {c}, 0, 0.5, 1},
            {"v_mix", {c}, 0, 0.5, 1},         {"decay", {c}, 0, -1, 8},          {"bonus", {c}, 0, std::log(0.3)}};
  }

  // The frame before; Σ e^(k_i …) v_i and Σ e^(k_i …), both divided by e^top; top.
  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    const at::Tensor nothing = at::zeros({batch, tokens_, channels_}, Below(parameters, prefix)["decay"].options());
    return {{nothing, nothing, nothing, at::full_like(nothing, kNoExponent)}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    const MixerState from = state.tensors.empty() ? start(parameters, prefix, x.size(0)) : state;
    const std::int64_t frames = x.size(1);
    const at::Tensor before = at::cat({from.tensors[0].unsqueeze(1), x.narrow(1, 0, frames - 1)}, 1);
    const auto projected = [&](const char* mix, const char* weight) {
      return linear_product(before + of[mix] * (x - before), of[weight]);
    };
    const at::Tensor r = projected("r_mix", "r_proj.weight");
    const auto k = projected("k_mix", "k_proj.weight").unbind(1);
    const auto v = projected("v_mix", "v_proj.weight").unbind(1);
    const at::Tensor w = at::exp(of["decay"]);
    at::Tensor sum = from.tensors[1], weight = from.tensors[2], top = from.tensors[3];
    std::vector<at::Tensor> means;
    for (std::size_t t = 0; t < k.size(); ++t) {
      // What both sums are divided by cancels, so it counts as a constant in gradients.
      const at::Tensor now = of["bonus"] + k[t];
      const at::Tensor most = at::maximum(top, now).detach();
      const at::Tensor old_share = at::exp(top - most), new_share = at::exp(now - most);
      means.push_back((old_share * sum + new_share * v[t]) / (old_share * weight + new_share));
      const at::Tensor aged = top - w;
      const at::Tensor next = at::maximum(aged, k[t]).detach();
      const at::Tensor kept = at::exp(aged - next), added = at::exp(k[t] - next);
      sum = kept * sum + added * v[t];
      weight = kept * weight + added;
      top = next;
    }
    const at::Tensor y = linear_product(at::sigmoid(r) * at::stack(means, 1), of["o_proj.weight"]);
    return {y, {{x.select(1, frames - 1), sum, weight, top}}, {}};
  }

 private:
  static constexpr double kNoExponent = -1e30;  // its exponential is 0, and nothing makes it infinite

  std::int64_t tokens_, channels_;
};

}  // namespace

std::unique_ptr<Mixer> rwkv_mixer(const ModelConfig& config) { return std::make_unique<RwkvMixer>(config); }

}  // namespace longtake
