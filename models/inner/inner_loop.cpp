#include "models/inner/inner_loop.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace longtake::inner {
namespace {

using at::Tensor;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("inner loop: ") + what);
}

bool any_requires_grad(const Inputs& in, const LoopState& start) {
  const auto some = [](const std::vector<Tensor>& tensors) {
    for (const Tensor& tensor : tensors) {
      if (tensor.defined() && tensor.requires_grad()) return true;
    }
    return false;
  };
  return some({in.q, in.k, in.v, in.share, in.scale, in.norm_weight, in.norm_bias}) || some(start.weights) ||
         some(start.moments) || some(start.open);
}

// The same for every head: [B][nh] against [B][nh][…].
Tensor beside(const Tensor& of_heads, const Tensor& like) {
  std::vector<std::int64_t> extents(static_cast<std::size_t>(like.dim()), 1);
  extents[0] = of_heads.size(0);
  extents[1] = of_heads.size(1);
  return of_heads.view(extents);
}
Weights chosen(const Tensor& of_heads, const Weights& yes, const Weights& no) {
  Weights out;
  for (std::size_t i = 0; i < yes.size(); ++i) out.push_back(at::where(beside(of_heads, yes[i]), yes[i], no[i]));
  return out;
}
// [B][nh], see Note: Guard.
Tensor sound(const Weights& numbers, Tensor so_far) {
  for (const Tensor& part : numbers) {
    const Tensor good = part.detach().abs() <= kMostWeight;  // false for what is not a number
    so_far = so_far.logical_and(good.reshape({part.size(0), part.size(1), -1}).all(-1));
  }
  return so_far;
}

Weights added(const Weights& a, const Weights& b) {
  Weights out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(a[i] + b[i]);
  return out;
}

// The maths of one unit.
class Unit {
 public:
  Unit(const LoopShape& shape, const Inputs& in, std::int64_t first, bool with_graph)
      : shape_(shape), with_graph_(with_graph) {
    const auto rows = [&](const Tensor& x) { return x.narrow(2, first, shape.unit); };
    q_ = rows(in.q);
    k_ = rows(in.k);
    target_ = shape.residual ? rows(in.v) - k_ : rows(in.v);
    share_ = in.share.defined() ? rows(in.share) : at::ones_like(k_.select(-1, 0));
    if (shape.norm) gamma_ = in.norm_weight.unsqueeze(1), beta_ = in.norm_bias.unsqueeze(1);
  }

  struct Learned {
    Weights evidence;
    Tensor before;  // [B][nh][u]
  };
  Learned learn(const Weights& weights) const {
    return shape_.optimiser->least_squares() ? normal_equations(weights) : gradient(weights);
  }

  Tensor read(const Weights& weights) const {
    const Tensor z = answer(weights, q_);
    return shape_.residual ? q_ + z : z;
  }

 private:
  // LN(model(x)), or without LN.
  Tensor answer(const Weights& weights, const Tensor& x) const {
    const Tensor z = last_layer_of(*shape_.model, weights, shape_.model->features(weights, x));
    if (!shape_.norm) return z;
    const Tensor centred = z - z.mean(-1, true);
    return gamma_ * (centred * at::rsqrt((centred * centred).mean(-1, true) + shape_.norm_eps)) + beta_;
  }

  Learned gradient(const Weights& weights) const {
    // Gradients are wanted here whether or not the outer loop wants any.
    const at::AutoGradMode on(true);
    Weights at;
    for (const Tensor& weight : weights) {
      // The outer loop's own tensor if it follows this one: the gradient must hang on to it.
      at.push_back(with_graph_ && weight.requires_grad() ? weight : weight.detach().requires_grad_(true));
    }
    const Tensor e = answer(at, k_) - target_;
    const Tensor square = (e * e).sum(-1);
    const Tensor loss = 0.5 * (share_ * square).sum();
    auto gradient = torch::autograd::grad({loss}, at, {}, /*retain_graph=*/with_graph_, /*create_graph=*/with_graph_);
    const Tensor before = square / e.size(-1);
    return {std::move(gradient), with_graph_ ? before : before.detach()};
  }

  // Xᵀ C X and Xᵀ C (T − X W).
  Learned normal_equations(const Weights& weights) const {
    const Features features = shape_.model->features(weights, k_);
    const Tensor e = target_ - last_layer_of(*shape_.model, weights, features);
    Tensor x = features.rows;
    if (shape_.model->shape().bias) x = at::cat({x, at::ones_like(x.narrow(-1, 0, 1))}, -1);
    const Tensor weighed = (share_.unsqueeze(-1) * x).transpose(-1, -2);
    return {{at::matmul(weighed, x), at::matmul(weighed, e)}, (e * e).mean(-1)};
  }

  const LoopShape& shape_;
  bool with_graph_;
  Tensor q_, k_, target_;  // [B][nh][u][f]
  Tensor share_;           // [B][nh][u]
  Tensor gamma_, beta_;    // [nh][1][f]
};

void check(const LoopShape& shape, const Inputs& in, const LoopState& start) {
  require(shape.model && shape.optimiser, "it needs a model and an optimiser");
  require(shape.unit > 0 && shape.mini_batch >= 0 && shape.mini_batch % shape.unit == 0,
          "a mini-batch must be a number of whole units");
  require(!shape.model->whole_frames() || shape.unit % shape.model->shape().tokens == 0,
          "this model sees whole frames, and a unit is not");
  require(!(shape.norm && shape.optimiser->least_squares()), "least squares want a model without output norm");
  require(in.q.dim() == 4 && in.q.sizes() == in.k.sizes() && in.q.sizes() == in.v.sizes(),
          "q, k and v must be [B][nh][L][f]");
  require(in.q.size(2) > 0 && in.q.size(2) % shape.unit == 0, "the length must be a number of whole units");
  require(!in.share.defined() || in.share.sizes() == in.q.sizes().slice(0, 3), "share must be [B][nh][L]");
  require(!in.scale.defined() || (shape.mini_batch > 0 && in.scale.numel() == shape.mini_batch / shape.unit),
          "scale must have one number a unit of the mini-batch");
  require(!shape.norm || (in.norm_weight.defined() && in.norm_bias.defined()), "the norm's weights are missing");
  require(start.weights.size() == shape.model->weights().size() && !start.open.empty() &&
              start.weights[0].size(0) == in.q.size(0),
          "the state belongs to another model or number of streams");
}

}  // namespace

LoopState loop_start(const LoopShape& shape, const Weights& weights, std::int64_t batch) {
  LoopState out;
  for (const Tensor& weight : weights) {
    std::vector<std::int64_t> extents = weight.sizes().vec();
    extents[0] = batch;
    out.weights.push_back(weight.expand(extents));
  }
  out.moments = shape.optimiser->start(*shape.model, out.weights);
  out.open = shape.optimiser->no_evidence(*shape.model, out.weights);
  return out;
}

LoopOutputs run_loop(const LoopShape& shape, const Inputs& in, const LoopState& start) {
  check(shape, in, start);
  const bool with_graph = at::GradMode::is_enabled() && any_requires_grad(in, start);
  const std::int64_t units = in.q.size(2) / shape.unit;
  LoopOutputs out;
  out.end = start;
  LoopState& state = out.end;
  std::vector<Tensor> results, losses;
  for (std::int64_t n = 0; n < units; ++n) {
    const Unit unit(shape, in, n * shape.unit, with_graph);
    const auto learned = unit.learn(state.weights);
    losses.push_back(learned.before);
    Weights open = added(state.open, learned.evidence);
    Weights evidence = open;
    if (in.scale.defined()) {
      for (Tensor& part : evidence) part = part * in.scale[state.open_units];
    }
    auto step = shape.optimiser->step(*shape.model, state.weights, state.moments, evidence);

    const Tensor all = at::ones(in.q.sizes().slice(0, 2), at::kBool);
    const Tensor good = sound(step.moments, sound(step.weights, sound(open, all)));
    if (const auto refused = good.logical_not().sum().item<std::int64_t>(); refused > 0) {
      if (with_graph) {
        throw std::runtime_error("inner loop: " + std::to_string(refused) +
                                 " steps are not finite, so there is no gradient");
      }
      out.refused += refused;
      step = {chosen(good, step.weights, state.weights), chosen(good, step.moments, state.moments)};
      open = chosen(good, open, state.open);
    }

    results.push_back(unit.read(step.weights));
    if (++state.open_units * shape.unit == shape.mini_batch) {
      open = shape.optimiser->no_evidence(*shape.model, step.weights);
      state = {std::move(step.weights), std::move(step.moments), std::move(open), 0};
    } else {
      state.open = std::move(open);
    }
  }
  out.z = at::cat(results, 2);
  out.before = at::cat(losses, 2);
  return out;
}

}  // namespace longtake::inner
