#include "models/inner/inner_mixer.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "models/inner/inner_config.h"
#include "models/inner/nadaraya_watson.h"
#include "models/net/products.h"
#include "models/net/rows.h"
#include "models/stack.h"

namespace longtake::inner {
namespace {

using at::Tensor;

LoopShape loop_of(const ModelConfig& config) {
  const int f = config.channels / config.heads;
  LoopShape loop;
  loop.unit = config.mini_batch == "token" ? 1 : config.tokens;
  if (config.inner == "linear-attention") {
    loop.model = make_model("linear", {f, 0, config.tokens, /*bias=*/false});
    loop.optimiser = make_optimiser("sgd", 1);
    loop.mini_batch = 0;
    loop.norm = false;
    loop.residual = false;
    return loop;
  }
  loop.model = make_model(config.inner, {f, 4 * f, config.tokens});
  loop.optimiser = make_optimiser(config.optimiser, config.base_rate / f);
  loop.mini_batch = config.mini_batch == "stream" ? 0 : loop.unit;
  loop.norm = !loop.optimiser->least_squares();
  return loop;
}

MixerState flat(const LoopShape& shape, const LoopState& state) {
  MixerState out{state.weights};
  out.tensors.insert(out.tensors.end(), state.moments.begin(), state.moments.end());
  // Frames, and tokens all the more, are whole mini-batches: nothing is open between windows.
  if (shape.mini_batch == 0) out.tensors.insert(out.tensors.end(), state.open.begin(), state.open.end());
  return out;
}

}  // namespace

InnerMixer::InnerMixer(const ModelConfig& config)
    : width_(config.channels),
      heads_(config.heads),
      head_width_(config.channels / config.heads),
      rope_(mini_batch_rope(config.tokens, config.channels / config.heads, ttt_block_config(config).layer.rope_theta)),
      attention_(config.inner == "linear-attention") {
  if (!takes_general_loop(config)) throw std::invalid_argument("InnerMixer: this inner model is made elsewhere");
  if (const std::string complaint = complaint_about_inner(config); !complaint.empty()) {
    throw std::invalid_argument("InnerMixer: " + complaint);
  }
  if (config.inner != "nadaraya-watson") loop_ = loop_of(config);
}

std::vector<ParameterStart> InnerMixer::parameters() const {
  // As those of TttMixer.
  std::vector<ParameterStart> out;
  for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    out.push_back({std::string(name) + ".weight", {width_, width_}, 1 / std::sqrt(static_cast<double>(width_))});
  }
  out.push_back({"post_norm.weight", {width_}, 0, 1});
  out.push_back({"post_norm.bias", {width_}});
  if (!loop_ || attention_) return out;
  out.push_back({"learnable_ttt_lr_weight", {heads_, 1, width_}, 0.02});
  out.push_back({"learnable_ttt_lr_bias", {heads_, 1}});
  if (loop_->norm) {
    out.push_back({"ttt_norm_weight", {heads_, head_width_}, 0, 1});
    out.push_back({"ttt_norm_bias", {heads_, head_width_}});
  }
  for (ParameterStart& weight : loop_->model->weights()) {
    weight.shape.insert(weight.shape.begin(), heads_);
    out.push_back(std::move(weight));
  }
  return out;
}

MixerState InnerMixer::start(const definition::Parameters& parameters, std::string_view prefix,
                             std::int64_t batch) const {
  const auto named = [&](const std::string& name) { return parameters.find(std::string(prefix) + name)->second; };
  const auto options = named("post_norm.weight").options().requires_grad(false);
  if (!loop_) {
    const KeptPairs none = nothing_kept(at::empty({batch, heads_, 0, head_width_}, options));
    return {{none.keys, none.values, none.kept}};
  }
  Weights weights;
  for (const ParameterStart& weight : loop_->model->weights()) {
    weights.push_back(attention_ ? at::zeros({1, heads_, head_width_, head_width_}, options)
                                 : named(weight.name).unsqueeze(0));
  }
  return flat(*loop_, loop_start(*loop_, weights, batch));
}

// The other way round than flat().
LoopState InnerMixer::state_of(const MixerState& state) const {
  const auto weights = std::ptrdiff_t(loop_->model->weights().size());
  const auto from = state.tensors.begin();
  LoopState out;
  out.weights.assign(from, from + weights);
  out.open = loop_->optimiser->no_evidence(*loop_->model, out.weights);
  auto end = state.tensors.end();
  if (loop_->mini_batch == 0) {
    end -= std::ssize(out.open);
    out.open.assign(end, state.tensors.end());
  }
  out.moments.assign(from + weights, end);
  return out;
}

MixerOutputs InnerMixer::forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                                 const MixerState& given) const {
  const std::int64_t batch = x.size(0), frames = x.size(1), tokens = x.size(2), length = frames * tokens;
  const auto named = [&](const char* name) -> const Tensor& {
    return parameters.find(std::string(prefix) + name)->second;
  };
  const Tensor rows = x.reshape({batch, length, width_});
  const auto heads_of = [&](const char* name) {  // [B][nh][L][f]
    return linear_product(rows, named(name)).view({batch, length, heads_, head_width_}).transpose(1, 2);
  };
  const Tensor q = fast_turn(rope_, heads_of("q_proj.weight"));
  const Tensor k = fast_turn(rope_, heads_of("k_proj.weight"));
  const Tensor v = heads_of("v_proj.weight");
  const MixerState state = given.tensors.empty() ? start(parameters, prefix, batch) : given;

  MixerOutputs out;
  Tensor z;
  if (!loop_) {
    const Recalled recalled = nadaraya_watson(q, k, v, tokens, {state.tensors[0], state.tensors[1], state.tensors[2]});
    z = recalled.z;
    out.state.tensors = {recalled.end.keys, recalled.end.values, recalled.end.kept};
  } else {
    Inputs in{q, k, v, {}, {}, {}, {}};
    if (!attention_) {
      const Tensor gate = linear_product(rows, named("learnable_ttt_lr_weight").squeeze(1)) +
                          named("learnable_ttt_lr_bias").squeeze(1);  // [B][L][nh]
      in.share = at::sigmoid(gate).transpose(1, 2) / static_cast<double>(loop_->unit);
    }
    if (loop_->norm) in.norm_weight = named("ttt_norm_weight"), in.norm_bias = named("ttt_norm_bias");
    const LoopOutputs loop = run_loop(*loop_, in, state_of(state));
    z = loop.z;
    out.state = flat(*loop_, loop.end);
    out.before = loop.before.view({batch, heads_, frames, tokens}).mean(at::IntArrayRef{1, 3});
  }
  const Tensor joined = z.transpose(1, 2).reshape({batch, length, width_});
  const Tensor normed = at::layer_norm(joined, {width_}, named("post_norm.weight"), named("post_norm.bias"), 1e-6);
  out.y = linear_product(normed, named("o_proj.weight")).view(x.sizes());
  return out;
}

}  // namespace longtake::inner
