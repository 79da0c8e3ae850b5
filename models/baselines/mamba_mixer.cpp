#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "models/baselines/parts.h"
#include "models/baselines/rival_mixers.h"
#include "models/net/products.h"

namespace longtake {
namespace {

constexpr std::int64_t kExpand = 2;  // as the paper's, all four
constexpr std::int64_t kStates = 16;
constexpr std::int64_t kTaps = 4;
constexpr std::int64_t kRankShare = 16;

class MambaMixer final : public Mixer {
 public:
  explicit MambaMixer(const ModelConfig& config)
      : tokens_(config.tokens),
        channels_(config.channels),
        inner_(kExpand * channels_),
        rank_(std::max<std::int64_t>(1, channels_ / kRankShare)) {}

  std::vector<ParameterStart> parameters() const override {
    const auto spread = [](std::int64_t inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); };
    // Steps Δ from 0.001 to 0.1, for which softplus and exponential are the same; A from −1 to −16.
    const double shortest = std::log(0.001), longest = std::log(0.1), most = std::log(16.0);
    return {{"in_proj.weight", {2 * inner_, channels_}, spread(channels_)},
            {"conv.weight", {inner_, kTaps}, spread(3 * kTaps)},
            {"conv.bias", {inner_}},
            {"x_proj.weight", {rank_ + 2 * kStates, inner_}, spread(inner_)},
            {"dt_proj.weight", {inner_, rank_}, spread(3 * rank_)},
            {"dt_proj.bias", {inner_}, 0, (shortest + longest) / 2, longest - shortest},
            {"a_log", {inner_, kStates}, 0, most / 2, most},
            {"skip", {inner_}, 0, 1},
            {"out_proj.weight", {channels_, inner_}, spread(inner_)}};
  }

  // The last taps − 1 frames before the convolution, s.
  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    const auto options = Below(parameters, prefix)["skip"].options();
    return {{at::zeros({batch, kTaps - 1, tokens_, inner_}, options),
             at::zeros({batch, tokens_, inner_, kStates}, options)}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    const MixerState from = state.tensors.empty() ? start(parameters, prefix, x.size(0)) : state;
    const std::int64_t frames = x.size(1);
    const auto halves = linear_product(x, of["in_proj.weight"]).split(inner_, -1);
    const at::Tensor in = at::cat({from.tensors[0], halves[0]}, 1);  // [B][taps − 1 + T][tokens][E]
    at::Tensor mixed = of["conv.bias"];
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      mixed = mixed + of["conv.weight"].select(1, tap) * in.narrow(1, tap, frames);
    }
    const at::Tensor u = at::silu(mixed);
    const auto parts = linear_product(u, of["x_proj.weight"]).split_with_sizes({rank_, kStates, kStates}, -1);
    const at::Tensor delta = at::softplus(linear_product(parts[0], of["dt_proj.weight"], of["dt_proj.bias"]));
    const at::Tensor a = -at::exp(of["a_log"]);
    const auto step = delta.unsqueeze(-1).unbind(1);         // [B][tokens][E][1] each
    const auto added = (delta * u).unsqueeze(-1).unbind(1);  // likewise
    const auto b = parts[1].unsqueeze(-2).unbind(1);         // [B][tokens][1][N] each
    const auto c = parts[2].unsqueeze(-2).unbind(1);         // likewise
    at::Tensor s = from.tensors[1];
    std::vector<at::Tensor> read;
    for (std::size_t t = 0; t < step.size(); ++t) {
      s = at::exp(step[t] * a) * s + added[t] * b[t];
      read.push_back((s * c[t]).sum(-1));
    }
    const at::Tensor y = (at::stack(read, 1) + of["skip"] * u) * at::silu(halves[1]);
    return {linear_product(y, of["out_proj.weight"]), {{in.narrow(1, frames, kTaps - 1), s}}, {}};
  }

 private:
  std::int64_t tokens_, channels_, inner_, rank_;
};

}  // namespace

std::unique_ptr<Mixer> mamba_mixer(const ModelConfig& config) { return std::make_unique<MambaMixer>(config); }

}  // namespace longtake
