#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "models/baselines/parts.h"
#include "models/baselines/rival_mixers.h"
#include "models/net/products.h"
#include "models/net/rows.h"

namespace longtake {
namespace {

constexpr double kRopeBase = 1e4;
constexpr std::int64_t kMostScores = std::int64_t(1) << 24;  // at a time, or those of one frame: memory stays bounded

// x [B][frames][tokens][heads][f], each frame turned by its index.
at::Tensor turned(const at::Tensor& x, std::int64_t first_index) {
  const std::int64_t frames = x.size(1), f = x.size(4);
  const auto doubles = x.options().dtype(at::kDouble).requires_grad(false);
  const at::Tensor rates = at::exp(at::arange(0, f, 2, doubles) * (-std::log(kRopeBase) / static_cast<double>(f)));
  const at::Tensor angles = at::arange(first_index, first_index + frames, doubles).unsqueeze(1) * rates;
  const auto as_x = [&](const at::Tensor& of) { return of.to(x.scalar_type()).view({frames, 1, 1, f / 2}); };
  const at::Tensor cosine = as_x(at::cos(angles)), sine = as_x(at::sin(angles));
  const auto pairs = x.unflatten(-1, {f / 2, 2}).unbind(-1);
  return at::stack({pairs[0] * cosine - pairs[1] * sine, pairs[0] * sine + pairs[1] * cosine}, -1).flatten(-2);
}

class AttentionMixer final : public Mixer {
 public:
  explicit AttentionMixer(const ModelConfig& config)
      : tokens_(config.tokens), heads_(config.heads), channels_(config.channels) {
    if (config.inner == "attention-window") window_ = config.window_frames;
  }

  std::vector<ParameterStart> parameters() const override {
    const std::int64_t c = channels_;
    std::vector<ParameterStart> out;
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      out.push_back({std::string(name) + ".weight", {c, c}, 1 / std::sqrt(static_cast<double>(c))});
    }
    out.push_back({"q_norm.weight", {c / heads_}, 0, 1});
    out.push_back({"k_norm.weight", {c / heads_}, 0, 1});
    return out;
  }

  // Keys and values [B][frames][tokens][C], and [B][frames] whether they are there: rows may be of different age. Of a
  // window always its length; of everything one frame that is not there, which is as good as any number of them.
  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override {
    const auto options = Below(parameters, prefix)["q_norm.weight"].options();
    const std::int64_t frames = window_ > 0 ? window_ - 1 : 1;
    const at::Tensor nothing = at::zeros({batch, frames, tokens_, channels_}, options);
    return {{nothing, nothing, at::zeros({batch, frames}, options)}};
  }

  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override {
    const Below of(parameters, prefix);
    const MixerState from = state.tensors.empty() ? start(parameters, prefix, x.size(0)) : state;
    const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), f = channels_ / heads_;
    const auto by_head = [&](const at::Tensor& rows) { return rows.unflatten(-1, {heads_, f}); };
    const auto normed = [&](const char* projection, const char* norm) {
      return fast_rms_norm(by_head(linear_product(x, of[projection])), of[norm], 1e-6);
    };
    const at::Tensor q = normed("q_proj.weight", "q_norm.weight");
    const at::Tensor keys = at::cat({from.tensors[0], normed("k_proj.weight", "k_norm.weight").flatten(-2)}, 1);
    const at::Tensor values = at::cat({from.tensors[1], linear_product(x, of["v_proj.weight"])}, 1);
    const at::Tensor there = at::cat({from.tensors[2], at::ones({batch, frames}, from.tensors[2].options())}, 1);
    const std::int64_t old = keys.size(1) - frames;

    const auto side_by_side = [&](const at::Tensor& rows) {  // [B][n][tokens][heads][f] → [B·heads][n·tokens][f]
      return rows.permute({0, 3, 1, 2, 4}).reshape({batch * heads_, -1, f});
    };
    const at::Tensor k = turned(by_head(keys), 0), v = by_head(values);
    const at::Tensor turned_q = turned(q, old) / std::sqrt(static_cast<double>(f));
    const std::int64_t scores_of_a_frame = batch * heads_ * tokens * tokens * keys.size(1);
    const std::int64_t together = std::clamp<std::int64_t>(kMostScores / scores_of_a_frame, 1, frames);
    std::vector<at::Tensor> read;
    for (std::int64_t t = 0; t < frames; t += together) {
      const std::int64_t now = std::min(together, frames - t);
      const std::int64_t first = window_ > 0 ? std::max<std::int64_t>(0, old + t - window_ + 1) : 0;
      const std::int64_t seen = old + t + now - first;
      const at::Tensor index = at::arange(first, first + seen), own = at::arange(old + t, old + t + now).unsqueeze(1);
      at::Tensor out_of_sight = index > own;  // [now][seen]
      if (window_ > 0) out_of_sight = out_of_sight.logical_or(index <= own - window_);
      out_of_sight = out_of_sight.logical_or(there.narrow(1, first, seen).unsqueeze(1) == 0);  // [B][now][seen]
      const at::Tensor scores =
          batched_product(side_by_side(turned_q.narrow(1, t, now)),
                          side_by_side(k.narrow(1, first, seen)).transpose(1, 2))
              .view({batch, heads_, now, tokens, seen, tokens})
              .masked_fill(out_of_sight.view({batch, 1, now, 1, seen, 1}), -std::numeric_limits<double>::infinity())
              .view({batch * heads_, now * tokens, seen * tokens});
      read.push_back(batched_product(at::softmax(scores, -1), side_by_side(v.narrow(1, first, seen)))
                         .view({batch, heads_, now, tokens, f})
                         .permute({0, 2, 3, 1, 4})
                         .reshape({batch, now, tokens, channels_}));
    }
    const std::int64_t drop = window_ > 0 ? frames : absent_everywhere(from.tensors[2]);
    const auto kept = [&](const at::Tensor& all) { return all.narrow(1, drop, all.size(1) - drop); };
    return {linear_product(at::cat(read, 1), of["o_proj.weight"]), {{kept(keys), kept(values), kept(there)}}, {}};
  }

 private:
  // Frames at the beginning that no row has any more.
  static std::int64_t absent_everywhere(const at::Tensor& there) {
    return (there.sum(0).cumsum(0) == 0).sum().item<std::int64_t>();
  }

  std::int64_t tokens_, heads_, channels_;
  std::int64_t window_ = 0;  // frames; 0: everything
};

}  // namespace

std::unique_ptr<Mixer> attention_mixer(const ModelConfig& config) { return std::make_unique<AttentionMixer>(config); }

}  // namespace longtake
