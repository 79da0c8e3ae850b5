// Random layers and blocks of any configuration, as named tensors.
#pragma once

#include <cmath>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "core/store/safetensors.h"
#include "models/ttt/block.h"

namespace longtake {

class RandomTensors {
 public:
  explicit RandomTensors(unsigned seed) : random_(seed) {}

  // Values are floats whatever the type they are stored in, so that float and double layers have the same
  // weights.
  void add(const std::string& name, std::vector<std::int64_t> shape, double spread, double centre = 0) {
    std::int64_t count = 1;
    for (const auto extent : shape) count *= extent;
    singles.tensors[name] = Tensor::of(draw<float>(count, spread, centre), shape);
    const auto values = singles.floats(name, shape);
    doubles.tensors[name] = Tensor::of(std::vector<double>(values->begin(), values->end()), shape);
  }

  template <class T>
  std::vector<T> draw(std::size_t count, double spread, double centre = 0) {
    std::normal_distribution<float> normal;
    std::vector<T> out(count);
    for (T& value : out) value = static_cast<float>(centre + spread * normal(random_));
    return out;
  }

  template <class T>
  const TensorFile& file() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return singles;
    } else {
      return doubles;
    }
  }

  TensorFile singles, doubles;

 private:
  std::mt19937 random_;
};

inline void add_layer(RandomTensors& to, const TttLayerConfig& c, const std::string& prefix = "") {
  const int C = c.width, nh = c.heads, f = C / nh, h = 4 * f;
  const double narrow = 1 / std::sqrt(double(C));
  const auto project = [&](const char* name) {
    to.add(prefix + name + ".weight", {C, C}, narrow);
    if (c.projection_bias) to.add(prefix + name + ".bias", {C}, 0.1);
  };
  for (const char* name : {"q_proj", "v_proj", "o_proj"}) project(name);
  if (c.share_qk) {
    for (const char* name : {"conv_q", "conv_k"}) {
      to.add(prefix + name + ".weight", {C, 1, c.conv_width}, 0.5);
      to.add(prefix + name + ".bias", {C}, 0.1);
    }
  } else {
    project("k_proj");
  }
  if (c.gate) to.add(prefix + "g_proj.weight", {C, C}, narrow);
  to.add(prefix + "learnable_ttt_lr_weight", {nh, 1, C}, narrow);
  to.add(prefix + "learnable_ttt_lr_bias", {nh, 1}, 0.5);
  if (c.form == TttForm::kCausal) to.add(prefix + "learnable_token_idx", {c.mini_batch}, 0.05);
  to.add(prefix + "ttt_norm_weight", {nh, f}, 0.2, 1);
  to.add(prefix + "ttt_norm_bias", {nh, f}, 0.2);
  to.add(prefix + "post_norm.weight", {C}, 0.1, 1);
  to.add(prefix + "post_norm.bias", {C}, 0.1);
  const int out = c.model == TttModel::kMlp ? h : f;
  to.add(prefix + "W1", {nh, f, out}, 1 / std::sqrt(double(f)));
  to.add(prefix + "b1", {nh, 1, out}, 0.2);
  if (c.model != TttModel::kMlp) return;
  to.add(prefix + "W2", {nh, h, f}, 1 / std::sqrt(double(h)));
  to.add(prefix + "b2", {nh, 1, f}, 0.2);
}

inline void add_block(RandomTensors& to, const TttBlockConfig& c, const std::string& prefix = "") {
  const int C = c.layer.width, I = c.inner_width;
  add_layer(to, c.layer, prefix + "seq_modeling_block.");
  to.add(prefix + "seq_norm.weight", {C}, 0.1, 1);
  to.add(prefix + "ffn_norm.weight", {C}, 0.1, 1);
  if (c.gated_residual) to.add(prefix + "alpha", {C}, 0.3);
  if (c.pre_conv) {
    to.add(prefix + "conv.norm.weight", {C}, 0.1, 1);
    to.add(prefix + "conv.conv.weight", {C, 1, c.layer.conv_width}, 0.5);
    to.add(prefix + "conv.conv.bias", {C}, 0.1);
  }
  to.add(prefix + "mlp.gate_proj.weight", {I, C}, 1 / std::sqrt(double(C)));
  to.add(prefix + "mlp.up_proj.weight", {I, C}, 1 / std::sqrt(double(C)));
  to.add(prefix + "mlp.down_proj.weight", {C, I}, 1 / std::sqrt(double(I)));
}

// Every option at least once in each form, in awkward sizes.
inline std::vector<TttLayerConfig> layer_configs() {
  std::vector<TttLayerConfig> all;
  for (const TttModel model : {TttModel::kMlp, TttModel::kLinear}) {
    for (const TttForm form : {TttForm::kFrame, TttForm::kCausal}) {
      const auto add = [&](int heads, int f, int b, auto change) {
        TttLayerConfig c;
        c.model = model;
        c.form = form;
        c.heads = heads;
        c.width = heads * f;
        c.mini_batch = b;
        change(c);
        all.push_back(c);
      };
      add(2, 16, 16, [](TttLayerConfig&) {});
      add(1, 2, 1, [](TttLayerConfig&) {});
      add(3, 10, 5, [](TttLayerConfig& c) { c.gate = true; });
      add(2, 8, 4, [](TttLayerConfig& c) { c.share_qk = true; });
      add(2, 8, 7, [](TttLayerConfig& c) { c.share_qk = c.gate = true, c.conv_width = 2; });
      add(1, 24, 16, [](TttLayerConfig& c) { c.unit_qk = c.projection_bias = true, c.base_rate = 0.1; });
      add(2, 12, 3, [](TttLayerConfig& c) { c.target = TttTarget::kNormalised, c.inner_eps = 1e-8; });
      add(1, 6, 8,
          [](TttLayerConfig& c) { c.share_qk = c.unit_qk = true, c.conv_width = 1, c.rope_theta = 100; });
    }
  }
  return all;
}

inline void PrintTo(const TttLayerConfig& c, std::ostream* out) {
  *out << (c.model == TttModel::kMlp ? "mlp" : "linear")
       << (c.form == TttForm::kCausal ? " causal" : " frame") << " C " << c.width << " heads " << c.heads
       << " b " << c.mini_batch << (c.gate ? " gate" : "") << (c.share_qk ? " share_qk" : "")
       << (c.unit_qk ? " unit" : "") << (c.target == TttTarget::kNormalised ? " normalised" : "");
}

}  // namespace longtake
