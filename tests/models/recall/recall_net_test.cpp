#include "models/recall/recall_net.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/safetensors.h"
#include "models/fresh_weights.h"
#include "models/recall/recall_function.h"

namespace longtake {
namespace {

constexpr int kLatent = 8;

at::Tensor doubles(const TensorFile& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  EXPECT_NE(found, file.tensors.end()) << name;
  if (found->second.type == TensorType::kF64) {
    const auto values = *file.doubles(name, found->second.shape);
    return at::from_blob(const_cast<double*>(values.data()), found->second.shape, at::kDouble).clone();
  }
  const auto values = *file.floats(name, found->second.shape);
  return at::from_blob(const_cast<float*>(values.data()), found->second.shape, at::kFloat).to(at::kDouble);
}

const TensorFile& golden() {
  static const TensorFile file = *read_tensors(LONGTAKE_SOURCE_DIR "/tests/models/recall/golden.safetensors");
  return file;
}

RecallConfig small(const std::string& rule) {
  RecallConfig config;
  config.rule = rule;
  config.keys = 16;
  config.hidden = 12;
  config.features = 24;
  return config;
}

RecallNet net_of(const RecallConfig& config, const TensorFile& file, at::ScalarType type) {
  auto net = RecallNet::load(config, kLatent, file);
  if (!net) throw std::runtime_error(net.error().message);
  for (auto& [name, parameter] : net->parameters()) parameter = parameter.to(type).set_requires_grad(true);
  return std::move(*net);
}

double worst(const at::Tensor& got, const at::Tensor& want) {
  return ((got.to(at::kDouble) - want).abs().max() / at::clamp_min(want.abs().max(), 1e-12)).item<double>();
}

class RecallGolden : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Rules, RecallGolden, testing::Values("delta", "rls", "mlp", "mlp-last"), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(RecallGolden, AnswersAndGradientsAreThoseOfThePrototype) {
  const std::string& rule = GetParam();
  TensorFile parameters;
  for (const auto& [name, tensor] : golden().tensors) {
    if (name.starts_with(rule + ".")) parameters.tensors[name.substr(rule.size() + 1)] = tensor;
  }
  for (const auto& [type, limit, gradient_limit] :
       {std::tuple(at::kDouble, 1e-9, 1e-9), std::tuple(at::kFloat, 1e-4, 1e-4)}) {
    RecallNet net = net_of(small(rule), parameters, type);
    const at::Tensor x = doubles(golden(), "x").to(type), write = doubles(golden(), "write").to(type);
    const auto out = net.forward(x, {}, write);
    EXPECT_LE(worst(out.predictions, doubles(parameters, "predictions")), limit);
    const at::Tensor state = doubles(parameters, "state");
    EXPECT_LE(worst(out.state.narrow(1, 0, state.size(1)), state), limit);
    (out.predictions * doubles(golden(), "weights").to(type)).sum().backward();
    for (const auto& [name, parameter] : net.parameters()) {
      ASSERT_TRUE(parameter.grad().defined()) << name;
      EXPECT_LE(worst(parameter.grad(), doubles(parameters, "gradient." + name)), gradient_limit) << rule << " " << name;
    }
  }
}

class RecallRules : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Rules, RecallRules, testing::Values("delta", "rls", "mlp", "mlp-last", "mlp-rls", "both-rls"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(RecallRules, TheFastWayIsTheDefinition) {
  at::manual_seed(3);
  const RecallShape shape = recall_shape(small(GetParam()), kLatent * 8);
  const auto draw = [](std::vector<std::int64_t> extents) { return at::randn(extents, at::kDouble).set_requires_grad(true); };
  const std::int64_t memories = 3, steps = 7;
  const at::Tensor x = draw({memories, steps, shape.keys}), v = draw({memories, steps, shape.values}),
                   c = draw({memories, steps}), lambda = draw({}), rate = draw({}),
                   start = (0.1 * at::randn({memories, static_cast<std::int64_t>(recall_state_size(shape))}, at::kDouble));
  if (shape.rule == RecallRule::kRls) {
    start.narrow(1, std::int64_t(shape.keys) * shape.values, std::int64_t(shape.keys) * shape.keys) =
        at::eye(shape.keys, at::kDouble).flatten();
  }
  start.set_requires_grad(true);
  const auto inputs = [&] {
    RecallInputs in;
    in.x = x / x.norm(2, -1, true);
    in.v = v;
    in.c = at::sigmoid(c);
    in.lambda = at::exp(lambda);
    in.rate = at::sigmoid(rate);
    in.start = start;
    return in;
  };
  const auto gradients = [&](const RecallOutputs& out) {
    for (const at::Tensor& leaf : {x, v, c, lambda, rate, start}) leaf.mutable_grad() = at::Tensor();
    (out.z.sin().sum() + (out.end * out.end).sum()).backward();
    std::vector<at::Tensor> found;
    for (const at::Tensor& leaf : {x, v, c, lambda, rate, start}) {
      found.push_back(leaf.grad().defined() ? leaf.grad().clone() : at::zeros_like(leaf));
    }
    return found;
  };
  const RecallOutputs fast = recall(shape, inputs());
  const RecallOutputs plain = definition::recall(shape, inputs());
  EXPECT_LE(worst(fast.z, plain.z), 1e-11);
  EXPECT_LE(worst(fast.end, plain.end), 1e-11);
  const auto got = gradients(fast);
  const auto want = gradients(plain);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(worst(got[i], want[i]), 1e-8) << i;
}

TEST_P(RecallRules, PredictsAFrameWithoutHavingSeenIt) {
  at::manual_seed(4);
  const RecallConfig config = small(GetParam());
  const RecallNet net = net_of(config, fresh_recall(config, kLatent, 1), at::kFloat);
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::randn({1, 4, 16, kLatent});
  const at::Tensor written = at::ones({1, 4});
  const auto before = net.forward(x, {}, written).predictions;
  // Hidden tokens of the last frame change: what is predicted of them does not.
  for (int half = 0; half < 2; ++half) {
    at::Tensor changed = x.clone();
    const at::Tensor hidden = at::tensor(recall_hidden_tokens(half));
    changed[0][3].index_add_(0, hidden, at::ones({8, kLatent}));
    const auto after = net.forward(changed, {}, written).predictions;
    EXPECT_TRUE(at::equal(after[0][3].index_select(0, hidden), before[0][3].index_select(0, hidden)));
    EXPECT_TRUE(at::equal(after[0].narrow(0, 0, 3), before[0].narrow(0, 0, 3)));
  }
}

TEST_P(RecallRules, AStateIsCarriedFromWindowToWindow) {
  at::manual_seed(5);
  const RecallConfig config = small(GetParam());
  const RecallNet net = net_of(config, fresh_recall(config, kLatent, 1), at::kFloat);
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::randn({2, 9, 16, kLatent}), written = at::ones({2, 9});
  const auto whole = net.forward(x, {}, written);
  const auto first = net.forward(x.narrow(1, 0, 4), {}, written.narrow(1, 0, 4));
  const auto rest = net.forward(x.narrow(1, 4, 5), first.state, written.narrow(1, 4, 5));
  EXPECT_LE(worst(at::cat({first.predictions, rest.predictions}, 1), whole.predictions.to(at::kDouble)), 1e-5);
  EXPECT_LE(worst(rest.state, whole.state.to(at::kDouble)), 1e-5);
  // Reading alone leaves it as it is.
  EXPECT_TRUE(at::equal(net.forward(x, whole.state, {}).state, whole.state));
}

// One stream from its start, in plain LibTorch and token by token: what the header of recall_net.h says, with the definition
// of the rule. [T][tokens][latent]
at::Tensor plain(const RecallConfig& config, const definition::Parameters& p, const at::Tensor& x, const at::Tensor& write) {
  const RecallShape shape = recall_shape(config, kLatent * 8);
  at::Tensor out = at::zeros_like(x);
  for (std::int64_t half = 0; half < 2; ++half) {
    const auto of = [&](const char* name) { return p.at(name)[half]; };
    std::vector<at::Tensor> vis, hid;
    std::vector<std::int64_t> hidden;
    for (std::int64_t token = 0; token < 16; ++token) {
      const bool hides = (token / 4 + token % 4) % 2 == half;
      (hides ? hid : vis).push_back(x.select(1, token));
      if (hides) hidden.push_back(token);
    }
    const at::Tensor visible = at::cat(vis, 1), wanted = at::cat(hid, 1);  // [T][V]
    const auto gelu = [](const at::Tensor& a) {
      return 0.5 * a * (1 + at::tanh(std::sqrt(2 / 3.14159265358979323846) * (a + 0.044715 * a * a * a)));
    };
    const at::Tensor a = gelu(at::matmul(visible, of("features.weight")) + of("features.bias"));
    const at::Tensor base = at::matmul(a, of("base.weight")) + of("base.bias");
    const at::Tensor gates = at::sigmoid(at::matmul(a, of("gates.weight")) + of("gates.bias"));
    const at::Tensor raw = at::matmul(visible, of("keys.weight")) + at::matmul(a, of("keys.features"));
    at::Tensor key = raw / at::sqrt((raw * raw).sum(-1, true));
    if (config.rule == "mlp-last" || config.rule.ends_with("-rls")) {
      const at::Tensor b = gelu(at::matmul(std::sqrt(config.keys * 1.0) * key, of("hidden.weight")) + of("hidden.bias"));
      const at::Tensor features = b / at::sqrt((b * b).sum(-1, true) + shape.feature_eps);
      key = config.rule == "both-rls" ? at::cat({key, features}, -1) / std::sqrt(2.0) : features;
    }
    RecallInputs in;
    in.x = key.unsqueeze(0);
    in.v = (wanted - base).unsqueeze(0);
    in.c = (gates.select(1, 1) * write).unsqueeze(0);
    if (shape.rule == RecallRule::kRls) in.lambda = at::exp(p.at("log_lambda"));
    if (shape.rule == RecallRule::kMlp) in.rate = at::exp(p.at("log_rate"));
    const at::Tensor w = p.contains("start.weight") ? of("start.weight").flatten()
                                                    : at::zeros({std::int64_t(shape.keys) * shape.values}, x.options());
    if (shape.rule == RecallRule::kMlp) {
      in.start = at::cat({of("hidden.weight").flatten(), of("hidden.bias").flatten(), w}).unsqueeze(0);
    } else if (shape.rule == RecallRule::kRls) {
      in.start = at::cat({w, at::eye(shape.keys, x.options()).flatten()}).unsqueeze(0);
    } else {
      in.start = w.unsqueeze(0);
    }
    const at::Tensor answer = base + definition::recall(shape, in).z[0] * gates.narrow(1, 0, 1);
    out = out.index_copy(1, at::tensor(hidden), answer.view({-1, 8, kLatent}));
  }
  return out;
}

// Two windows of two streams, with the state between them: the first stream goes on, the second one begins anew.
TEST_P(RecallRules, GradientsThroughWindowsAreThoseOfTheDefinition) {
  const RecallConfig config = small(GetParam());
  at::manual_seed(6);
  TensorFile file = fresh_recall(config, kLatent, 1);
  for (const ParameterStart& part : recall_parameters(config, kLatent)) {
    const at::Tensor start = doubles(file, part.name).to(at::kFloat);
    const at::Tensor values = (start + 0.05 * at::randn(part.shape)).contiguous();
    file.tensors[part.name] = Tensor::of(std::span(values.data_ptr<float>(), static_cast<std::size_t>(values.numel())), part.shape);
  }
  constexpr std::int64_t kWindow = 4;
  const at::Tensor x = (at::randn({2, 1, 16, kLatent}) + 0.5 * at::randn({2, 2 * kWindow, 16, kLatent})).to(at::kDouble);
  const at::Tensor write = at::rand({2, 2 * kWindow}).to(at::kDouble);
  const at::Tensor weights = 1 + (at::rand({2, 2 * kWindow}) > 0.5).to(at::kDouble);
  const auto loss = [&](const at::Tensor& predictions) {
    const auto type = predictions.scalar_type();
    const at::Tensor errors = (predictions - x.to(type)).square().mean(at::IntArrayRef{2, 3});
    return (errors * weights.to(type)).sum() / weights.sum().to(type);
  };
  RecallNet oracle = net_of(config, file, at::kDouble);
  const auto row = [&](std::int64_t which, std::int64_t first, std::int64_t frames) {
    return plain(config, oracle.parameters(), x[which].narrow(0, first, frames), write[which].narrow(0, first, frames));
  };
  const at::Tensor wanted = at::stack({row(0, 0, 2 * kWindow), at::cat({row(1, 0, kWindow), row(1, kWindow, kWindow)})});
  loss(wanted).backward();
  for (const auto& [type, limit] : {std::pair(at::kDouble, 1e-8), std::pair(at::kFloat, 1e-4)}) {
    const RecallNet net = net_of(config, file, type);
    const auto window = [&](std::int64_t at, const at::Tensor& state) {
      return net.forward(x.narrow(1, at, kWindow).to(type), state, write.narrow(1, at, kWindow).to(type));
    };
    const auto one = window(0, {});
    // Half by half, two streams each.
    const at::Tensor begins = at::tensor({0, 1, 0, 1}).to(at::kBool).unsqueeze(1);
    const auto two = window(kWindow, at::where(begins, net.start(2), one.state));
    const at::Tensor predictions = at::cat({one.predictions, two.predictions}, 1);
    EXPECT_LE(worst(predictions, wanted), limit);
    loss(predictions).backward();
    for (const auto& [name, parameter] : net.parameters()) {
      ASSERT_TRUE(parameter.grad().defined() && oracle.parameters().at(name).grad().defined()) << name;
      EXPECT_LE(worst(parameter.grad(), oracle.parameters().at(name).grad()), limit) << name << " " << type;
    }
  }
}

}  // namespace
}  // namespace longtake
