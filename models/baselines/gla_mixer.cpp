#include <cmath>

#include <ATen/ATen.h>

#include "models/baselines/parts.h"
#include "models/baselines/rival_mixers.h"
#include "models/net/products.h"
#include "models/net/rows.h"

namespace longtake {
namespace {

class GlaMixer final : public Mixer {
 public:
  explicit GlaMixer(const ModelConfig& config) : heads_(config.heads), channels_(config.channels) {}

  std::vector<ParameterStart> parameters() const override {
    const std::int64_t c = channels_;
    const double spread = 1 / std::sqrt(static_cast<double>(c));
    std::vector<ParameterStart> out;
    for (const char* name : {"q_proj", "k_proj", "v_proj", "g_proj", "o_proj"}) {
      out.push_back({std::string(name) + ".weight", {c, c}, spread});
    }
    out.push_back({"decay.weight", {c, c}, 0.02});
    out.push_back({"decay.bias", {c}, 0, 3.5, 5});  // rows that keep 4 to 400 frames
    out.push_back({"norm.weight", {c / heads_}, 0, 1});
    return out;
  }

  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    const std::int64_t f = channels_ / heads_;
    return {{at::zeros({batch, heads_, f, f}, Below(parameters, prefix)["norm.weight"].options())}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), f = channels_ / heads_;
    const auto by_head = [&](const at::Tensor& rows) {  // [B·T·heads][tokens][f]
      return rows.view({batch, frames, tokens, heads_, f}).transpose(2, 3).reshape({-1, tokens, f});
    };
    const at::Tensor q = by_head(linear_product(x, of["q_proj.weight"]));
    const at::Tensor k = by_head(at::silu(linear_product(x, of["k_proj.weight"])));
    const at::Tensor v = by_head(linear_product(x, of["v_proj.weight"]));
    const at::Tensor keep = at::sigmoid(linear_product(x.mean(2), of["decay.weight"], of["decay.bias"]))
                                .view({batch, frames, heads_, f, 1});
    const at::Tensor pairs = batched_product(k.transpose(1, 2), v).view({batch, frames, heads_, f, f});
    const auto added = ((1 - keep) * pairs / static_cast<double>(tokens)).unbind(1);
    const auto kept = keep.unbind(1);
    at::Tensor s = state.tensors.empty() ? start(parameters, prefix, batch).tensors[0] : state.tensors[0];
    std::vector<at::Tensor> after;
    for (std::size_t t = 0; t < kept.size(); ++t) {
      s = kept[t] * s + added[t];
      after.push_back(s);
    }
    const at::Tensor read =
        fast_rms_norm(batched_product(q, at::stack(after, 1).view({-1, f, f})), of["norm.weight"], 1e-6);
    const at::Tensor joined = read.view({batch, frames, heads_, tokens, f}).transpose(2, 3).reshape(x.sizes());
    const at::Tensor gate = at::silu(linear_product(x, of["g_proj.weight"]));
    return {linear_product(gate * joined, of["o_proj.weight"]), {{s}}, {}};
  }

 private:
  std::int64_t heads_, channels_;
};

}  // namespace

std::unique_ptr<Mixer> gla_mixer(const ModelConfig& config) { return std::make_unique<GlaMixer>(config); }

}  // namespace longtake
