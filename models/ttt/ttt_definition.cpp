#include "models/ttt/ttt_definition.h"

#include <algorithm>
#include <numbers>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <ATen/ATen.h>

namespace longtake::definition {
namespace {

using at::Tensor;

Tensor row_mean(const Tensor& x) { return x.mean(-1, /*keepdim=*/true); }

struct Gelu {
  Tensor value, slope;
};
Gelu gelu_of(const Tensor& x) {
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // √(2/π)
  const double cubic = 0.044715;
  const Tensor square = x * x;
  const Tensor t = at::tanh(scale * x * (1 + cubic * square));
  return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * cubic * square)};
}

struct Standardised {
  Tensor normed, rho;
};
Standardised standardise(const Tensor& z, double eps) {
  const Tensor centred = z - row_mean(z);
  const Tensor rho = at::rsqrt(row_mean(centred * centred) + eps);
  return {centred * rho, rho};
}

// The inner loop's maths, for one mini-batch [B][nh][n][…] at a time.
struct MiniBatch {
  const TttShape& shape;
  Tensor gamma, beta;  // [nh][1][f]
  Tensor q, k, v;      // [B][nh][n][f]
  Tensor lr;           // [B][nh][n]

  bool deep() const { return shape.model == TttModel::kMlp; }
  bool first_learns() const { return deep() && shape.update == TttUpdate::kAll; }

  Tensor target() const {
    const Tensor d = v - k;
    if (shape.target == TttTarget::kResidual) return d;
    const Tensor centred = d - row_mean(d);
    const Tensor deviation = at::sqrt((centred * centred).sum(-1, true) / (shape.head_width - 1));
    return gamma * (centred / (deviation + 1e-8)) + beta;
  }

  Tensor infer(const FastWeights& w, const Tensor& in) const {
    const Tensor first = at::matmul(in, w.w1) + w.b1;
    return deep() ? at::matmul(gelu_of(first).value, w.w2) + w.b2 : first;
  }

  Tensor result(const Tensor& z) const { return q + (gamma * standardise(z, shape.norm_eps).normed + beta); }

  struct Learned {
    Tensor x, g1, g;  // [B][nh][n][h], [B][nh][n][h], [B][nh][n][f]; linear: x and g1 undefined
    Tensor loss;      // [B][nh][n]
  };
  Learned learn(const FastWeights& w) const {
    Tensor z = at::matmul(k, w.w1) + w.b1;
    Gelu hidden;
    if (deep()) {
      hidden = gelu_of(z);
      z = at::matmul(hidden.value, w.w2) + w.b2;
    }
    const auto [normed, rho] = standardise(z, shape.norm_eps);
    const Tensor e = gamma * normed + beta - target();
    const Tensor u = gamma * e;
    const Tensor g = rho * (u - row_mean(u) - normed * row_mean(u * normed));
    const Tensor g1 = first_learns() ? at::matmul(g, w.w2.transpose(-1, -2)) * hidden.slope : Tensor();
    return {hidden.value, g1, g, (e * e).mean(-1)};
  }

  // Second pass, causal. `scale` is τ of these tokens.
  Tensor read_inside(const FastWeights& w, const Learned& learned, const Tensor& scale) const {
    const Tensor m = at::tril(scale.unsqueeze(-1) * lr.unsqueeze(-2));  // M_ij = τ_i lr_j
    const auto changed = [&](const Tensor& in, const Tensor& in_rows, const Tensor& g_rows) {
      return at::matmul(m * (at::matmul(in, in_rows.transpose(-1, -2)) + 1), g_rows);
    };
    if (!deep()) return result(at::matmul(q, w.w1) + w.b1 - changed(q, k, learned.g));
    Tensor first = at::matmul(q, w.w1) + w.b1;
    if (first_learns()) first = first - changed(q, k, learned.g1);
    const Tensor x = gelu_of(first).value;
    return result(at::matmul(x, w.w2) + w.b2 - changed(x, learned.x, learned.g));
  }

  // W − Σ_j c_j in_j ⊗ g_j; c [B][nh][n]
  FastWeights update(const FastWeights& w, const Learned& learned, const Tensor& c) const {
    const auto step = [&](const Tensor& in, const Tensor& g) {
      return at::matmul((c.unsqueeze(-1) * in).transpose(-1, -2), g);
    };
    const auto bias_step = [&](const Tensor& g) { return (c.unsqueeze(-1) * g).sum(-2, true); };
    if (!deep()) return {w.w1 - step(k, learned.g), w.b1 - bias_step(learned.g), {}, {}};
    FastWeights next = w;
    if (first_learns()) {
      next.w1 = w.w1 - step(k, learned.g1);
      next.b1 = w.b1 - bias_step(learned.g1);
    }
    next.w2 = w.w2 - step(learned.x, learned.g);
    next.b2 = w.b2 - bias_step(learned.g);
    return next;
  }

  // What follows the step; `decay` [nh] or undefined.
  FastWeights settle(FastWeights w, const FastWeights& start, const Tensor& decay) const {
    if (decay.defined()) {
      const Tensor alpha = decay.view({-1, 1, 1});
      const auto towards = [&](Tensor& weight, const Tensor& from) {
        if (weight.defined()) weight = weight + alpha * (from - weight);
      };
      towards(w.w1, start.w1);
      towards(w.b1, start.b1);
      towards(w.w2, start.w2);
      towards(w.b2, start.b2);
    }
    if (shape.keep_row_norms) {
      Tensor& last = deep() ? w.w2 : w.w1;
      // Rows of length 0 stay. Roots are taken of what is not 0 only: their derivative there is infinite.
      const auto length = [](const Tensor& x) {
        const Tensor square = (x * x).sum(-1, true);
        return at::where(square > 0, at::sqrt(at::where(square > 0, square, at::ones_like(square))), square);
      };
      const Tensor now = length(last);
      const Tensor wanted = length(deep() ? start.w2 : start.w1);
      last = at::where(now > 0, last * (wanted / at::where(now > 0, now, at::ones_like(now))), last);
    }
    return w;
  }
};

const Tensor& named(const Parameters& parameters, std::string_view prefix, std::string_view name) {
  const std::string full = std::string(prefix) + std::string(name);
  const auto at = parameters.find(full);
  if (at == parameters.end()) throw std::invalid_argument("definition: no parameter \"" + full + "\"");
  return at->second;
}

Tensor linear(const Operations& operations, const Parameters& parameters, std::string_view prefix, const std::string& name,
              const Tensor& x, bool bias) {
  const Tensor y = operations.linear(x, named(parameters, prefix, name + ".weight"));
  return bias ? y + named(parameters, prefix, name + ".bias") : y;
}

// Depth-wise along the tokens of x [B][L][C]; the last tap is the current token, the missing past is zero.
Tensor causal_conv(const Parameters& parameters, std::string_view prefix, const std::string& name,
                   const Tensor& x) {
  const Tensor& taps = named(parameters, prefix, name + ".weight");  // [C][1][taps]
  const std::int64_t width = taps.size(-1);
  const Tensor past = at::zeros({x.size(0), width - 1, x.size(2)}, x.options());
  const Tensor padded = at::cat({past, x}, 1);
  Tensor y = named(parameters, prefix, name + ".bias").expand_as(x);
  for (std::int64_t tap = 0; tap < width; ++tap) {
    y = y + padded.slice(1, tap, tap + x.size(1)) * taps.select(2, tap).select(1, 0);
  }
  return y;
}

Tensor unit(const Tensor& x) { return x / at::clamp_min(at::sqrt((x * x).sum(-1, true)), 1e-12); }

// max(1/i + offset_i, 0); the quotient is rounded to float first, as in the published models.
Tensor token_scale(const Tensor& offsets) {
  const Tensor index = at::arange(1, offsets.size(0) + 1, at::kFloat);
  return at::clamp_min(index.reciprocal().to(offsets.options()) + offsets, 0);
}

}  // namespace

InnerOutputs inner_loop(const TttShape& shape, const InnerInputs& in, const FastWeights& start) {
  const std::int64_t batch = in.q.size(0);
  const std::int64_t length = in.q.size(2);
  const std::int64_t b = shape.mini_batch;
  const bool causal = shape.form == TttForm::kCausal;
  if (!causal && length % b != 0)
    throw std::invalid_argument("definition: the length is not a multiple of the mini-batch");
  const auto for_all = [&](const Tensor& w) {
    return w.defined() ? w.expand({batch, w.size(1), w.size(2), w.size(3)}) : w;
  };
  FastWeights w{for_all(start.w1), for_all(start.b1), for_all(start.w2), for_all(start.b2)};
  const FastWeights& learned_start = in.learned_start.w1.defined() ? in.learned_start : start;
  std::vector<Tensor> results;
  std::vector<Tensor> losses;
  for (std::int64_t first = 0; first < length; first += b) {
    const std::int64_t n = std::min(b, length - first);
    const auto rows = [&](const Tensor& x) { return x.narrow(2, first, n); };
    const MiniBatch part{shape,
                         in.norm_weight.unsqueeze(1),
                         in.norm_bias.unsqueeze(1),
                         rows(in.q),
                         rows(in.k),
                         rows(in.v),
                         rows(in.lr)};
    const auto learned = part.learn(w);
    losses.push_back(learned.loss);
    if (causal) results.push_back(part.read_inside(w, learned, in.token_scale.narrow(0, 0, n)));
    if (n == b) {
      w = part.update(w, learned, causal ? in.token_scale[b - 1] * part.lr : part.lr / b);
      w = part.settle(w, learned_start, in.decay);
    }
    if (!causal) results.push_back(part.result(part.infer(w, part.q)));
  }
  return {at::cat(results, 2), w, at::cat(losses, 2)};
}

Tensor turn(const RopeTable& rope, const Tensor& x) {
  const auto table = [&](const std::vector<float>& from) {
    const Tensor whole =
        at::from_blob(const_cast<float*>(from.data()), {rope.period, rope.pairs}, at::kFloat).clone();
    const Tensor rows = at::remainder(at::arange(x.size(2)), rope.period);
    return whole.index_select(0, rows).to(x.options());
  };
  const Tensor cosine = table(rope.cos);
  const Tensor sine = table(rope.sin);
  const Tensor pairs = x.unflatten(-1, {rope.pairs, 2});
  const Tensor even = pairs.select(-1, 0);
  const Tensor odd = pairs.select(-1, 1);
  return at::stack({even * cosine - odd * sine, even * sine + odd * cosine}, -1).flatten(-2);
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  return weight * standardise(x, eps).normed + bias;
}

at::Tensor inner_loss(const TttShape& shape, const InnerInputs& in, const FastWeights& w) {
  const MiniBatch all{shape, in.norm_weight.unsqueeze(1), in.norm_bias.unsqueeze(1), in.q, in.k, in.v, in.lr};
  return all.learn(w).loss;
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight) { return at::matmul(x, weight.transpose(0, 1)); }

FastWeights start_weights(const TttLayerConfig& config, const Parameters& parameters,
                          std::string_view prefix) {
  const auto take = [&](const char* name) { return named(parameters, prefix, name).unsqueeze(0); };
  if (config.model == TttModel::kLinear) return {take("W1"), take("b1"), {}, {}};
  return {take("W1"), take("b1"), take("W2"), take("b2")};
}

LayerOutputs layer(const TttLayerConfig& config, const RopeTable& rope, const Parameters& parameters,
                   std::string_view prefix, const at::Tensor& x, const FastWeights& start,
                   const Operations& operations) {
  const TttShape shape = config.shape();
  const std::int64_t batch = x.size(0);
  const std::int64_t length = x.size(1);
  const auto project = [&](const char* name) {
    return linear(operations, parameters, prefix, name, x, config.projection_bias);
  };
  const auto split = [&](const Tensor& rows) {  // [B][L][C] → [B][nh][L][f]
    return rows.view({batch, length, shape.heads, shape.head_width}).transpose(1, 2);
  };
  Tensor q = project("q_proj");
  Tensor k;
  if (config.share_qk) {
    k = causal_conv(parameters, prefix, "conv_k", q);
    q = causal_conv(parameters, prefix, "conv_q", q);
  } else {
    k = project("k_proj");
  }
  q = split(q);
  k = split(k);
  if (config.unit_qk) {
    q = unit(q);
    k = unit(k);
  }
  const Tensor rate =
      operations.linear(x, named(parameters, prefix, "learnable_ttt_lr_weight").squeeze(1)) +
      named(parameters, prefix, "learnable_ttt_lr_bias").squeeze(1);  // [B][L][nh]
  InnerInputs inner;
  inner.q = operations.turn(rope, q);
  inner.k = operations.turn(rope, k);
  inner.v = split(project("v_proj"));
  inner.lr = (config.base_rate / shape.head_width) * at::sigmoid(rate).transpose(1, 2);
  if (config.form == TttForm::kCausal)
    inner.token_scale = token_scale(named(parameters, prefix, "learnable_token_idx"));
  inner.norm_weight = named(parameters, prefix, "ttt_norm_weight");
  inner.norm_bias = named(parameters, prefix, "ttt_norm_bias");
  inner.learned_start = start_weights(config, parameters, prefix);
  if (config.decay > 0) inner.decay = at::full({shape.heads}, config.decay, x.options());
  auto loop = operations.inner_loop(shape, inner, start.w1.defined() ? start : inner.learned_start);
  const Tensor z = loop.z.transpose(1, 2).reshape({batch, length, config.width});
  Tensor y = operations.layer_norm(z, named(parameters, prefix, "post_norm.weight"), named(parameters, prefix, "post_norm.bias"),
                                   config.post_norm_eps);
  if (config.gate) y = gelu_of(linear(operations, parameters, prefix, "g_proj", x, false)).value * y;
  y = linear(operations, parameters, prefix, "o_proj", y, config.projection_bias);
  return {y, loop.end, loop.before, inner};
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  return weight * (x * at::rsqrt(row_mean(x * x) + eps));
}

LayerOutputs block(const TttBlockConfig& config, const RopeTable& rope, const Parameters& parameters,
                   std::string_view prefix, const at::Tensor& x, const FastWeights& start) {
  const auto normed = [&](const Tensor& rows, const char* name) {
    return rms_norm(rows, named(parameters, prefix, name), config.norm_eps);
  };
  Tensor rows = x;
  if (config.pre_conv)
    rows = rows + causal_conv(parameters, prefix, "conv.conv", normed(rows, "conv.norm.weight"));
  const std::string layer_prefix = std::string(prefix) + "seq_modeling_block.";
  LayerOutputs out =
      layer(config.layer, rope, parameters, layer_prefix, normed(rows, "seq_norm.weight"), start);
  rows = rows + (config.gated_residual ? at::tanh(named(parameters, prefix, "alpha")) * out.y : out.y);
  const Tensor y = normed(rows, "ffn_norm.weight");
  const Operations plain;
  const auto through = [&](const char* name, const Tensor& in) { return linear(plain, parameters, prefix, name, in, false); };
  const Tensor gate = through("mlp.gate_proj", y);
  out.y = rows + through("mlp.down_proj", gate * at::sigmoid(gate) * through("mlp.up_proj", y));
  return out;
}

}  // namespace longtake::definition
