#include "models/recall/recall_net.h"

#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>

#include "models/baselines/recall_rivals.h"
#include "models/net/products.h"
#include "models/net/tensor_file.h"
#include "models/recall/recall_function.h"

namespace longtake {
namespace {

constexpr std::int64_t kHalves = 2;

at::Tensor unit(const at::Tensor& x) { return x / at::clamp_min(at::sqrt((x * x).sum(-1, true)), 1e-6); }

bool has_keys(const RecallConfig& config) { return config.rule != "none" && config.rule != "gru"; }
bool has_gates(const RecallConfig& config) { return config.rule != "none"; }

// Per half: [2][n][in] · [2][in][out].
at::Tensor through(const at::Tensor& x, const at::Tensor& weight) { return batched_product(x, weight); }

}  // namespace

std::vector<ParameterStart> recall_parameters(const RecallConfig& config, int latent) {
  const std::int64_t values = std::int64_t(RecallNet::kTokens / 2) * latent;
  const std::int64_t d = config.keys, h = config.hidden, g = config.features;
  const double narrow = 1 / std::sqrt(static_cast<double>(values));
  std::vector<ParameterStart> out{{"features.weight", {kHalves, values, g}, narrow},
                                  {"features.bias", {kHalves, 1, g}},
                                  {"base.weight", {kHalves, g, values}, 0.002},
                                  {"base.bias", {kHalves, 1, values}}};
  if (has_gates(config)) {
    out.push_back({"gates.weight", {kHalves, g, 2}, 0.02});
    out.push_back({"gates.bias", {kHalves, 1, 2}, 0, 2});
  }
  if (has_keys(config)) {
    out.push_back({"keys.weight", {kHalves, values, d}, narrow});
    out.push_back({"keys.features", {kHalves, g, d}, 0.1 / std::sqrt(static_cast<double>(g))});
  }
  if (const auto rival = make_recall_rival(config, values)) {
    for (ParameterStart& part : rival->parameters()) out.push_back(std::move(part));
    return out;
  }
  const RecallShape shape = recall_shape(config, static_cast<int>(values));
  if (recall_uses_hidden(config) || shape.rule == RecallRule::kMlp) {
    out.push_back({"hidden.weight", {kHalves, d, h}, 1 / std::sqrt(static_cast<double>(d))});
    out.push_back({"hidden.bias", {kHalves, 1, h}, 0, -0.5});
  }
  // An MLP starts from weights that were learned; what is linear in its features starts from nothing.
  if (shape.rule == RecallRule::kMlp || config.rule == "mlp-last") out.push_back({"start.weight", {kHalves, h, values}, 0.002});
  if (shape.rule == RecallRule::kMlp) out.push_back({"log_rate", {}, 0, std::log(0.01)});
  if (shape.rule == RecallRule::kRls) out.push_back({"log_lambda", {}, 0, -2});
  return out;
}

Result<RecallNet> RecallNet::load(const RecallConfig& config, int latent, const TensorFile& file) {
  RecallNet net;
  net.config_ = config;
  net.latent_ = latent;
  net.rival_ = make_recall_rival(config, kTokens / 2 * latent);
  if (!net.rival_) net.shape_ = recall_shape(config, kTokens / 2 * latent);
  for (const ParameterStart& wanted : recall_parameters(config, latent)) {
    auto tensor = tensor_of(file, wanted.name, wanted.shape);
    if (!tensor) return std::move(tensor).error();
    net.parameters_[wanted.name] = std::move(*tensor);
  }
  return net;
}

TensorFile RecallNet::save(TensorType type) const {
  TensorFile file;
  for (const auto& [name, tensor] : parameters_) file.tensors[name] = stored(tensor, type);
  return file;
}

std::size_t RecallNet::state_bytes() const {
  const std::size_t numbers = rival_ ? static_cast<std::size_t>(rival_->state_size()) : recall_state_size(shape_);
  return kHalves * numbers * sizeof(float);
}

at::Tensor RecallNet::start(std::int64_t batch) const {
  const auto& any = parameters_.at("features.weight");
  if (rival_) return at::zeros({kHalves * batch, rival_->state_size()}, any.options().requires_grad(false));
  const std::int64_t values = shape_.values, n = shape_.keys;
  std::vector<at::Tensor> parts;  // [2][…] each
  switch (shape_.rule) {
    case RecallRule::kMlp:
      parts = {parameters_.at("hidden.weight").flatten(1), parameters_.at("hidden.bias").flatten(1),
               parameters_.at("start.weight").flatten(1)};
      break;
    case RecallRule::kDelta:
    case RecallRule::kRls: {
      const auto learned = parameters_.find("start.weight");
      parts.push_back(learned != parameters_.end() ? learned->second.flatten(1) : at::zeros({kHalves, n * values}, any.options()));
      if (shape_.rule == RecallRule::kRls) parts.push_back(at::eye(n, any.options()).flatten().expand({kHalves, n * n}));
      break;
    }
  }
  const at::Tensor one = at::cat(parts, 1);
  return one.unsqueeze(1).expand({kHalves, batch, one.size(1)}).reshape({kHalves * batch, one.size(1)});
}

RecallNetOutputs RecallNet::forward(const at::Tensor& x, const at::Tensor& state, const at::Tensor& write) const {
  const std::int64_t batch = x.size(0), frames = x.size(1), latent = x.size(3);
  if (x.dim() != 4 || x.size(2) != kTokens || latent != latent_) {
    throw std::invalid_argument("RecallNet::forward: x must be [B][T][tokens][latent]");
  }
  const auto of = [&](const char* name) -> const at::Tensor& { return parameters_.at(name); };
  const at::Tensor even = at::tensor(recall_hidden_tokens(0)), odd = at::tensor(recall_hidden_tokens(1));
  const auto half = [&](const at::Tensor& tokens) { return x.index_select(2, tokens).reshape({batch * frames, -1}); };
  const at::Tensor of_even = half(even), of_odd = half(odd);
  const at::Tensor visible = at::stack({of_odd, of_even});  // [2][B·T][V]
  const at::Tensor hidden = at::stack({of_even, of_odd});

  const at::Tensor a = at::gelu(through(visible, of("features.weight")) + of("features.bias"), "tanh");
  const at::Tensor base = through(a, of("base.weight")) + of("base.bias");
  at::Tensor gates;  // [2][B·T][2]
  if (has_gates(config_)) gates = at::sigmoid(through(a, of("gates.weight")) + of("gates.bias"));
  at::Tensor key;
  if (has_keys(config_)) key = unit(through(visible, of("keys.weight")) + through(a, of("keys.features")));
  if (recall_uses_hidden(config_)) {
    const at::Tensor raw = at::gelu(
        through(std::sqrt(static_cast<double>(config_.keys)) * key, of("hidden.weight")) + of("hidden.bias"), "tanh");
    const at::Tensor features = raw * at::rsqrt((raw * raw).sum(-1, true) + shape_.feature_eps);
    key = config_.rule == "both-rls" ? at::cat({key, features}, -1) * std::sqrt(0.5) : features;
  }
  const auto streams = [&](const at::Tensor& rows) { return rows.reshape({kHalves * batch, frames, rows.size(-1)}); };
  const at::Tensor values = streams(hidden - base), from = state.defined() ? state : start(batch);
  at::Tensor writes, c;
  if (write.defined() && gates.defined()) {
    writes = write.repeat({kHalves, 1});
    c = streams(gates.narrow(-1, 1, 1)).squeeze(-1) * writes;
  }
  RecallOutputs recalled;
  if (rival_) {
    recalled = rival_->forward(parameters_, {streams(a), key.defined() ? streams(key) : key, values, writes, c, from});
  } else {
    RecallInputs in;
    in.x = streams(key);
    in.v = values;
    in.c = c;
    if (shape_.rule == RecallRule::kRls) in.lambda = at::exp(of("log_lambda"));
    if (shape_.rule == RecallRule::kMlp) in.rate = at::exp(of("log_rate"));
    in.start = from;
    recalled = recall(shape_, in);
  }

  at::Tensor answer = base;
  if (gates.defined()) answer = base + recalled.z.view({kHalves, batch * frames, -1}) * gates.narrow(-1, 0, 1);
  const at::Tensor tokens = answer.view({kHalves, batch, frames, kTokens / 2, latent});
  // Back into the order of the tokens.
  const at::Tensor order = at::argsort(at::cat({even, odd}));
  RecallNetOutputs out;
  out.predictions = at::cat({tokens[0], tokens[1]}, 2).index_select(2, order);
  out.state = recalled.end;
  return out;
}

}  // namespace longtake
