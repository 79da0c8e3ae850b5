// The inner loops as mixers of the stack, chosen by the settings of a model folder.
#include "models/inner/inner_mixer.h"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "models/fresh_weights.h"
#include "models/inner/inner_config.h"
#include "models/net/stack_net.h"
#include "models/net/ttt_mixer.h"
#include "models/stack.h"
#include "tests/models/inner/inner_testing.h"

namespace longtake::inner {
namespace {

using at::Tensor;

ModelConfig config_of(const std::string& inner, const std::string& optimiser = "sgd",
                      const std::string& mini_batch = "frame") {
  ModelConfig config;
  config.channels = 16;
  config.latent = 12;
  config.swiglu = 20;
  config.inner = inner;
  config.optimiser = optimiser;
  config.mini_batch = mini_batch;
  return config;
}

// All that a model folder can ask for.
std::vector<ModelConfig> configs() {
  std::vector<ModelConfig> out{config_of("linear-attention"), config_of("nadaraya-watson")};
  for (const char* inner : {"linear", "mlp", "cnn", "transformer"}) {
    for (const char* optimiser : {"sgd", "momentum", "adam", "muon", "rls"}) {
      for (const char* mini_batch : {"frame", "token", "stream"}) {
        const ModelConfig config = config_of(inner, optimiser, mini_batch);
        if (complaint_about_inner(config).empty() && takes_general_loop(config)) out.push_back(config);
      }
    }
  }
  return out;
}
std::string name_of(const ModelConfig& config) {
  return config.inner + " " + config.optimiser + " " + config.mini_batch;
}

definition::Parameters drawn(const Mixer& mixer, Draw& draw) {
  definition::Parameters out;
  for (const ParameterStart& part : mixer.parameters()) {
    out["p." + part.name] = draw(part.shape, std::max(part.spread, 0.1), part.centre);
  }
  return out;
}

TEST(InnerMixer, WindowsEqualTheWholeAndLaterFramesDoNotReachBack) {
  EXPECT_EQ(configs().size(), 2U + 2 * 14 + 2 * 10);
  for (const ModelConfig& config : configs()) {
    const auto mixer = make_mixer(config);
    Draw draw(1);
    const auto parameters = drawn(*mixer, draw);
    const Tensor x = draw({2, 4, 16, 16});
    const at::NoGradGuard none;
    const auto whole = mixer->forward(parameters, "p.", x, {});
    const auto first = mixer->forward(parameters, "p.", x.narrow(1, 0, 1), mixer->start(parameters, "p.", 2));
    const auto rest = mixer->forward(parameters, "p.", x.narrow(1, 1, 3), first.state);
    ASSERT_EQ(whole.y.sizes(), x.sizes());
    EXPECT_TRUE(largest(at::cat({first.y, rest.y}, 1) - whole.y) <= 1e-11) << name_of(config);
    ASSERT_EQ(rest.state.tensors.size(), mixer->start(parameters, "p.", 2).tensors.size()) << name_of(config);
    for (const Tensor& part : rest.state.tensors) EXPECT_EQ(part.size(0), 2);

    Tensor other = x.clone();
    other.select(1, 2).add_(draw({2, 16, 16}));
    const Tensor changed = (mixer->forward(parameters, "p.", other, {}).y - whole.y).abs().flatten(2).amax({0, 2});
    EXPECT_EQ(changed[0].item<double>() + changed[1].item<double>(), 0) << name_of(config);
    EXPECT_GT(changed[2].item<double>(), 1e-4) << name_of(config);
    EXPECT_GT(changed[3].item<double>(), 1e-8) << name_of(config);
  }
}

TEST(InnerMixer, EveryParameterHasAGradientThatEqualsFiniteDifferences) {
  for (const ModelConfig& config : configs()) {
    if (config.mini_batch == "token" && config.optimiser != "adam") continue;  // a long graph
    const auto mixer = make_mixer(config);
    Draw draw(2);
    auto parameters = drawn(*mixer, draw);
    const Tensor x = draw({1, 2, 16, 16});  // the second frame reads a state that the first one left
    const auto loss = [&] {
      const Tensor y = mixer->forward(parameters, "p.", x, {}).y;
      return (y * fixed(y)).sum();
    };
    for (auto& [name, leaf] : parameters) leaf.requires_grad_(true);
    loss().backward();
    definition::Parameters gradients;
    for (auto& [name, leaf] : parameters) {
      ASSERT_TRUE(leaf.grad().defined()) << name_of(config) << " " << name;
      gradients[name] = leaf.grad().clone();
    }
    const at::NoGradGuard none;
    double exact = 0;
    const auto here = parameters;
    const auto moved = [&](double by) {
      for (auto& [name, leaf] : parameters) leaf = here.at(name).detach() + by * fixed(here.at(name));
      return loss().item<double>();
    };
    double scale = 0;
    for (const auto& [name, gradient] : gradients) {
      EXPECT_GT(largest(gradient), 0) << name_of(config) << " " << name;
      exact += (gradient * fixed(gradient)).sum().item<double>();
      scale += gradient.norm().item<double>();
    }
    const double numeric = (moved(1e-7) - moved(-1e-7)) / 2e-7;
    EXPECT_TRUE(std::abs(numeric - exact) <= 2e-6 * scale)
        << name_of(config) << ": " << numeric << " by differences, " << exact;
  }
}

// The first step of momentum is that of sgd, so around it all must be as in the TTT layer of the kernels.
TEST(InnerMixer, AroundTheLoopIsATttLayer) {
  for (const char* inner : {"mlp", "linear"}) {
    ModelConfig config = config_of(inner, "momentum");
    const auto general = make_mixer(config);
    config.optimiser = "sgd";
    const TttMixer fast(config, {});
    Draw draw(3);
    const auto parameters = drawn(*general, draw);
    ASSERT_EQ(parameters.size(), fast.parameters().size());
    const Tensor x = draw({3, 1, 16, 16});
    const auto want = fast.forward(parameters, "p.", x, {});
    const auto got = general->forward(parameters, "p.", x, {});
    EXPECT_TRUE(largest(got.y - want.y) <= 1e-12);
    EXPECT_TRUE(largest(got.before - want.before) <= 1e-12);
  }
}

// Attention as a whole layer, written out: projections, turns by complex numbers, norm, output.
Tensor attention_layer(const definition::Parameters& p, const Tensor& x, bool softmax) {
  const std::int64_t batch = x.size(0), frames = x.size(1), c = 16, nh = 2, f = 8, length = frames * 16;
  const auto project = [&](const char* name) {
    return at::einsum("btnc,dc->btnd", {x, p.at(name)}).reshape({batch, length, nh, f}).permute({0, 2, 1, 3});
  };
  const auto turned = [&](const Tensor& rows) {
    const Tensor place = at::remainder(at::arange(length, at::kDouble), 16);
    const Tensor speed = at::pow(1e4, -at::arange(0, f, 2, at::kDouble) / double(f));
    const Tensor angle = at::outer(place, speed);
    const Tensor by = at::complex(at::cos(angle), at::sin(angle));
    return at::view_as_real(at::view_as_complex(rows.contiguous().view({batch, nh, length, f / 2, 2})) * by).flatten(3);
  };
  const Tensor q = turned(project("p.q_proj.weight")), k = turned(project("p.k_proj.weight")),
               v = project("p.v_proj.weight");
  const Tensor frame = at::arange(length).div(16, "floor");
  const Tensor later = frame.unsqueeze(1) < frame.unsqueeze(0);
  const Tensor scores = at::einsum("bhic,bhsc->bhis", {q, k});
  const Tensor shares = softmax ? at::softmax((scores / std::sqrt(double(f))).masked_fill(later, -1e300), -1)
                                : scores.masked_fill(later, 0);
  const Tensor z = at::einsum("bhis,bhsc->bihc", {shares, v}).reshape({batch, length, c});
  const Tensor mean = z.mean(-1, true), deviation = at::sqrt(z.var(-1, /*unbiased=*/false, true) + 1e-6);
  const Tensor normed = p.at("p.post_norm.weight") * (z - mean) / deviation + p.at("p.post_norm.bias");
  return at::einsum("blc,dc->bld", {normed, p.at("p.o_proj.weight")}).view(x.sizes());
}

TEST(InnerMixer, LinearAttentionAndNadarayaWatsonAreAttentionLayers) {
  for (const bool softmax : {false, true}) {
    const auto mixer = make_mixer(config_of(softmax ? "nadaraya-watson" : "linear-attention"));
    Draw draw(4);
    const auto parameters = drawn(*mixer, draw);
    EXPECT_EQ(parameters.size(), 6U);  // projections and norm: nothing of TTT's is left to learn
    const Tensor x = draw({2, 3, 16, 16});
    const Tensor want = attention_layer(parameters, x, softmax);
    const auto first = mixer->forward(parameters, "p.", x.narrow(1, 0, 2), {});
    const auto second = mixer->forward(parameters, "p.", x.narrow(1, 2, 1), first.state);
    // The rotary table holds floats.
    EXPECT_TRUE(largest(at::cat({first.y, second.y}, 1) - want) <= 1e-5) << softmax;
  }
}

TEST(InnerMixer, InTheStackStreamsBeginAnewBesideOthers) {
  for (const ModelConfig& config :
       {config_of("nadaraya-watson"), config_of("linear-attention"), config_of("cnn", "adam"),
        config_of("mlp", "rls", "stream"), config_of("transformer", "muon")}) {
    const std::vector<float> unused(320);
    auto net = StackNet::load(config, fresh_stack(config, 5, unused, unused));
    ASSERT_TRUE(net) << net.error().message;
    Draw draw(6, at::kFloat);
    for (auto& [name, parameter] : net->parameters()) {
      if (name == "head.weight")
        parameter = draw(parameter.sizes().vec(), 0.3);  // fresh ones predict running means only
    }
    const at::NoGradGuard none;
    const auto frames = [&](std::int64_t n) { return draw({2, n, 16, 12}); };
    const auto seconds = [](std::int64_t n) { return at::full({2, n}, 0.1); };
    const auto before = net->forward(frames(3), seconds(3), {});
    const Tensor x = frames(2);
    const auto state = net->restarted(before.state, at::tensor({0, 1}).to(at::kBool));
    const auto got = net->forward(x, seconds(2), state).predictions;
    const auto going_on = net->forward(x, seconds(2), before.state).predictions;
    const auto fresh = net->forward(x, seconds(2), {}).predictions;
    EXPECT_TRUE(largest(got.select(1, 0) - going_on.select(1, 0)) <= 1e-5) << name_of(config);
    EXPECT_TRUE(largest(got.select(1, 1) - fresh.select(1, 1)) <= 1e-5) << name_of(config);
    EXPECT_GT(largest(fresh - going_on), 1e-3) << name_of(config);
  }
}

TEST(InnerMixer, IsNotForWatching) {
  for (const ModelConfig& config : configs()) {
    const std::vector<float> unused(320);
    const auto stack = load_stack(config, fresh_stack(config, 5, unused, unused));
    ASSERT_FALSE(stack) << name_of(config);
    EXPECT_EQ(stack.error().kind, ErrorKind::kModel);
    EXPECT_NE(stack.error().message.find("cannot watch"), std::string::npos) << stack.error().message;
  }
}

TEST(InnerMixer, OnlyWhatTheConfigAllowsIsMade) {
  EXPECT_THROW(make_mixer(config_of("abacus")), std::invalid_argument);
  EXPECT_THROW(make_mixer(config_of("cnn", "sgd", "token")), std::invalid_argument);
  EXPECT_THROW(InnerMixer(config_of("mlp")), std::invalid_argument);  // the kernels' business
}

}  // namespace
}  // namespace longtake::inner
