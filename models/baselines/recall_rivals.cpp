#include "models/baselines/recall_rivals.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "models/net/products.h"

namespace longtake {
namespace {

constexpr std::int64_t kHalves = 2;

// Per half: x [2·B][T][in] · weight [2][in][out].
at::Tensor through(const at::Tensor& x, const at::Tensor& weight) {
  const std::int64_t memories = x.size(0), frames = x.size(1);
  return batched_product(x.reshape({kHalves, -1, x.size(2)}), weight).view({memories, frames, -1});
}

// Per half: bias [2][1][n] for [2·B][T][n].
at::Tensor for_memories(const at::Tensor& bias, std::int64_t memories) {
  return bias.repeat_interleave(memories / kHalves, 0);
}

class NoMemory final : public RecallRival {
 public:
  std::vector<ParameterStart> parameters() const override { return {}; }
  std::int64_t state_size() const override { return 0; }
  RecallOutputs forward(const definition::Parameters&, const RecallRivalInputs& in) const override {
    return {at::zeros_like(in.values), in.start};
  }
};

class GatedLinearAttention final : public RecallRival {
 public:
  GatedLinearAttention(const RecallConfig& config, std::int64_t values)
      : features_(config.features), keys_(config.keys), values_(values) {}

  std::vector<ParameterStart> parameters() const override {
    return {{"decay.weight", {kHalves, features_, keys_}, 0.02},
            {"decay.bias", {kHalves, 1, keys_}, 0, 5, 4},  // rows that keep 20 to 1,000 frames
            {"log_strength", {}, 0, -3}};  // keys of places are alike, so answers of many add up
  }
  std::int64_t state_size() const override { return keys_ * values_; }

  RecallOutputs forward(const definition::Parameters& of, const RecallRivalInputs& in) const override {
    const std::int64_t memories = in.start.size(0);
    at::Tensor w = in.start.view({memories, keys_, values_});
    if (!in.c.defined()) return {batched_product(in.keys, w), in.start};
    const at::Tensor alpha =
        at::sigmoid(through(in.features, of.at("decay.weight")) + for_memories(of.at("decay.bias"), memories));
    const auto kept = (1 - in.write.unsqueeze(-1) * (1 - alpha)).unsqueeze(-1).unbind(1);  // [M][d][1] each
    const auto keys = in.keys.unsqueeze(-1).unbind(1);                                     // likewise
    const auto pairs = (at::exp(of.at("log_strength")) * in.c.unsqueeze(-1) * in.values).unsqueeze(-2).unbind(1);
    std::vector<at::Tensor> answers;
    for (std::size_t t = 0; t < keys.size(); ++t) {
      answers.push_back((keys[t] * w).sum(1));
      w = kept[t] * w + keys[t] * pairs[t];
    }
    return {at::stack(answers, 1), w.flatten(1)};
  }

 private:
  std::int64_t features_, keys_, values_;
};

class Gru final : public RecallRival {
 public:
  Gru(const RecallConfig& config, std::int64_t values)
      : features_(config.features), width_(config.hidden), values_(values) {}

  std::vector<ParameterStart> parameters() const override {
    const auto spread = [](std::int64_t inputs) { return 1 / std::sqrt(3.0 * static_cast<double>(inputs)); };
    return {{"input.weight", {kHalves, features_ + values_, 3 * width_}, spread(features_ + values_)},
            {"input.bias", {kHalves, 1, 3 * width_}},
            {"recurrent.weight", {kHalves, width_, 3 * width_}, spread(width_)},
            {"recurrent.bias", {kHalves, 1, 3 * width_}},
            {"read.weight", {kHalves, width_ + features_, features_}, spread(width_ + features_)},
            {"read.bias", {kHalves, 1, features_}},
            {"answer.weight", {kHalves, features_, values_}, 0.002}};
  }
  std::int64_t state_size() const override { return width_; }

  RecallOutputs forward(const definition::Parameters& of, const RecallRivalInputs& in) const override {
    const std::int64_t memories = in.start.size(0), frames = in.features.size(1);
    at::Tensor h = in.start.unsqueeze(1);  // [M][1][width]
    at::Tensor before = h.expand({memories, frames, width_});
    if (in.c.defined()) {
      const auto inputs = (through(at::cat({in.features, in.values}, -1), of.at("input.weight")) +
                           for_memories(of.at("input.bias"), memories))
                              .split(1, 1);
      const at::Tensor bias = for_memories(of.at("recurrent.bias"), memories);
      const auto amounts = in.c.unsqueeze(-1).split(1, 1);
      std::vector<at::Tensor> states;
      for (std::size_t t = 0; t < inputs.size(); ++t) {
        states.push_back(h);
        const auto i = inputs[t].split(width_, -1);
        const auto j = (through(h, of.at("recurrent.weight")) + bias).split(width_, -1);
        const at::Tensor r = at::sigmoid(i[0] + j[0]);
        const at::Tensor z = at::sigmoid(i[1] + j[1]);
        const at::Tensor n = at::tanh(i[2] + r * j[2]);
        h = h + amounts[t] * (1 - z) * (n - h);
      }
      before = at::cat(states, 1);
    }
    const at::Tensor read = at::gelu(
        through(at::cat({before, in.features}, -1), of.at("read.weight")) + for_memories(of.at("read.bias"), memories),
        "tanh");
    return {through(read, of.at("answer.weight")), h.squeeze(1)};
  }

 private:
  std::int64_t features_, width_, values_;
};

class WindowAttention final : public RecallRival {
 public:
  WindowAttention(const RecallConfig& config, std::int64_t values)
      : keys_(config.keys), values_(values), window_(config.window) {}

  std::vector<ParameterStart> parameters() const override {
    // Keys are of length 1: a frame that is half alike weighs as much as nothing.
    return {{"log_sharpness", {}, 0, std::log(16.0)}, {"nothing", {}, 0, 8}};
  }
  std::int64_t state_size() const override { return window_ * (keys_ + values_ + 1); }

  RecallOutputs forward(const definition::Parameters& of, const RecallRivalInputs& in) const override {
    const std::int64_t memories = in.start.size(0), frames = in.keys.size(1);
    const auto parts = in.start.split_with_sizes({window_ * keys_, window_ * values_, window_}, 1);
    at::Tensor keys = parts[0].view({memories, window_, keys_}), values = parts[1].view({memories, window_, values_});
    at::Tensor c = parts[2];
    const at::Tensor queries = at::exp(of.at("log_sharpness")) * in.keys;
    const at::Tensor& nothing = of.at("nothing");
    // Of `seen` pairs from `first` on; out_of_sight [now][seen], undefined: all are looked at.
    const auto read = [&](std::int64_t t, std::int64_t now, std::int64_t first, std::int64_t seen,
                          const at::Tensor& out_of_sight) {
      at::Tensor scores = batched_product(queries.narrow(1, t, now), keys.narrow(1, first, seen).transpose(1, 2));
      // What all are divided by cancels, so it counts as a constant.
      const at::Tensor most = at::maximum(scores.amax(-1, true), nothing).detach();
      at::Tensor shares = at::exp(scores - most) * c.narrow(1, first, seen).unsqueeze(1);
      if (out_of_sight.defined()) shares = shares.masked_fill(out_of_sight, 0.0);
      const at::Tensor sum = at::exp(nothing - most) + shares.sum(-1, true);
      return batched_product(shares / sum, values.narrow(1, first, seen));
    };
    if (!in.c.defined()) return {read(0, frames, 0, window_, {}), in.start};
    keys = at::cat({keys, in.keys}, 1);
    values = at::cat({values, in.values}, 1);
    c = at::cat({c, in.c}, 1);
    std::vector<at::Tensor> answers;
    for (std::int64_t t = 0; t < frames; t += kTogether) {
      // Frame t looks at the `window` frames before it, which are t … t + window − 1 of the joined ones.
      const std::int64_t now = std::min(kTogether, frames - t), seen = window_ + now - 1;
      const at::Tensor ahead = at::arange(seen).unsqueeze(0) - at::arange(now).unsqueeze(1);
      answers.push_back(read(t, now, t, seen, (ahead < 0).logical_or(ahead >= window_)));
    }
    const auto last = [&](const at::Tensor& all) { return all.narrow(1, frames, window_).flatten(1); };
    return {at::cat(answers, 1), at::cat({last(keys), last(values), last(c)}, 1)};
  }

 private:
  static constexpr std::int64_t kTogether = 64;  // frames read at once: what they cost grows with the square

  std::int64_t keys_, values_, window_;
};

}  // namespace

std::unique_ptr<RecallRival> make_recall_rival(const RecallConfig& config, std::int64_t values) {
  if (config.rule == "none") return std::make_unique<NoMemory>();
  if (config.rule == "gla") return std::make_unique<GatedLinearAttention>(config, values);
  if (config.rule == "gru") return std::make_unique<Gru>(config, values);
  if (config.rule == "attention") return std::make_unique<WindowAttention>(config, values);
  return nullptr;
}

}  // namespace longtake
