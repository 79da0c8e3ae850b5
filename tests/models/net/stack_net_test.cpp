// The net that training differentiates: against the stack that programs watch with, and its gradients against those of the
// plain definition.
#include "models/net/stack_net.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/fresh_weights.h"
#include "models/net/tensor_file.h"
#include "models/stack.h"

namespace longtake {
namespace {

constexpr std::int64_t kTokens = 16;

struct Variant {
  const char* name;
  const char* inner = "mlp";
  bool causal = false;
  const char* update = "all";
  double decay = 0;
  bool keep_row_norms = false;
  bool residual_gate = true;
  int channels = 32;
};

void PrintTo(const Variant& variant, std::ostream* to) { *to << variant.name; }

ModelConfig config_of(const Variant& variant) {
  ModelConfig config;
  config.channels = variant.channels;
  config.swiglu = 48;
  config.latent = 24;
  config.inner = variant.inner;
  config.causal = variant.causal;
  config.update = variant.update;
  config.decay = variant.decay;
  config.keep_row_norms = variant.keep_row_norms;
  config.residual_gate = variant.residual_gate;
  return config;
}

// Fresh weights with everything that starts as nothing made something.
TensorFile trained_a_little(const ModelConfig& config) {
  at::manual_seed(7);
  TensorFile file = fresh_stack(config, 1, std::vector<float>(320, 0.1F), std::vector<float>(320, 1.5F));
  for (const ParameterStart& part : stack_parameters(config)) {
    const at::Tensor start = *tensor_of(file, part.name, part.shape);
    file.tensors[part.name] = stored(start + 0.05 * at::randn(part.shape), TensorType::kF32);
  }
  return file;
}

StackNet net_of(const ModelConfig& config, const TensorFile& file, at::ScalarType type = at::kFloat) {
  auto net = StackNet::load(config, file);
  if (!net) throw std::runtime_error(net.error().message);
  for (auto& [name, parameter] : net->parameters()) parameter = parameter.to(type).set_requires_grad(true);
  return std::move(*net);
}

// Largest difference, as a share of the largest number.
double worst(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor wanted = want.to(at::kDouble);
  return ((got.to(at::kDouble) - wanted).abs().max() / at::clamp_min(wanted.abs().max(), 1e-12)).item<double>();
}

// Frames that are like their predecessors, at uneven times, as doubles that floats hold.
struct Streams {
  at::Tensor x;   // [B][T][tokens][latent]
  at::Tensor dt;  // [B][T]
  Streams(std::int64_t batch, std::int64_t frames, int latent) {
    at::manual_seed(3);
    x = (at::randn({batch, 1, kTokens, latent}) + 0.5 * at::randn({batch, frames, kTokens, latent}).cumsum(1) / 3).to(at::kDouble);
    dt = (0.02 + at::rand({batch, frames})).to(at::kDouble);
    dt.select(1, 0).zero_();
  }
  Streams part(std::int64_t first, std::int64_t frames) const {
    Streams out = *this;
    out.x = x.narrow(1, first, frames);
    out.dt = dt.narrow(1, first, frames);
    return out;
  }
};

class StackNetVariants : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Variants, StackNetVariants,
                         testing::Values(Variant{"mlp"}, Variant{"wide", "mlp", false, "all", 0, false, true, 128},
                                         Variant{"causal", "mlp", true}, Variant{"linear", "linear"},
                                         Variant{"last_layer", "mlp", false, "last"},
                                         Variant{"decay", "mlp", false, "all", 0.01},
                                         Variant{"row_norms", "mlp", false, "all", 0, true},
                                         Variant{"plain_residual", "mlp", false, "all", 0, false, false}),
                         [](const auto& test) { return test.param.name; });

// --- the stack that watches

TEST_P(StackNetVariants, IsTheStackThatProgramsWatchWith) {
  const ModelConfig config = config_of(GetParam());
  const TensorFile file = trained_a_little(config);
  const StackNet net = net_of(config, file);
  const auto weights = load_stack(config, file);
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  const at::NoGradGuard no_grad;
  constexpr std::int64_t kRows = 2, kFrames = 7;
  at::manual_seed(5);
  const at::Tensor tokens = 0.1 + at::randn({kRows, 1, kTokens, 320}) + 0.3 * at::randn({kRows, kFrames, kTokens, 320});
  at::Tensor dt = 0.02 + at::rand({kRows, kFrames});
  dt.select(1, 0).zero_();
  const at::Tensor x = net.latents(tokens.flatten(0, 1)).view({kRows, kFrames, kTokens, config.latent});
  const NetOutputs out = net.forward(x, dt, {});
  for (std::int64_t row = 0; row < kRows; ++row) {
    Stack stack(*weights);
    for (std::int64_t t = 0; t < kFrames; ++t) {
      const at::Tensor frame = tokens[row][t].contiguous();
      const StackObservation seen = stack.step({frame.data_ptr<float>(), static_cast<std::size_t>(frame.numel())}, dt[row][t].item<double>());
      const at::Tensor prediction = at::tensor(stack.state().prediction).view({kTokens, config.latent});
      // Some hundred products in a row, in another order.
      EXPECT_LE(worst(out.predictions[0][row][t], prediction), 2e-5) << row << " " << t;
      for (std::size_t layer = 0; layer < out.before.size(); ++layer) {
        const double before = seen.layers[layer].before;
        EXPECT_NEAR(out.before[layer][row][t].item<double>(), before, 1e-4 * before) << layer;
      }
    }
    const at::Tensor means = at::tensor(stack.state().means).view({-1, kTokens, config.latent});
    EXPECT_LE(worst(out.state.means[row], means), 1e-5);
    EXPECT_EQ(out.state.counts[static_cast<std::size_t>(row)], stack.state().mean_count);
  }
}

// --- windows and rows

TEST_P(StackNetVariants, WindowsMayBeCutAnywhere) {
  const ModelConfig config = config_of(GetParam());
  const StackNet net = net_of(config, trained_a_little(config), at::kDouble);
  const at::NoGradGuard no_grad;
  constexpr std::int64_t kFrames = 6;
  const Streams all(2, kFrames, config.latent);
  const NetOutputs whole = net.forward(all.x, all.dt, {});
  for (std::int64_t cut = 1; cut < kFrames; ++cut) {
    const Streams first = all.part(0, cut), rest = all.part(cut, kFrames - cut);
    const NetOutputs one = net.forward(first.x, first.dt, {});
    const NetOutputs two = net.forward(rest.x, rest.dt, one.state);
    EXPECT_LE(worst(at::cat({one.predictions, two.predictions}, 2), whole.predictions), 1e-11) << cut;
    EXPECT_LE(worst(two.state.means, whole.state.means), 1e-12);
    EXPECT_EQ(two.state.counts, whole.state.counts);
    for (std::size_t layer = 0; layer < whole.before.size(); ++layer) {
      EXPECT_LE(worst(at::cat({one.before[layer], two.before[layer]}, 1), whole.before[layer]), 1e-10);
    }
  }
}

TEST_P(StackNetVariants, RowsKnowNothingOfOneAnother) {
  const ModelConfig config = config_of(GetParam());
  const StackNet net = net_of(config, trained_a_little(config), at::kDouble);
  const at::NoGradGuard no_grad;
  const Streams all(3, 4, config.latent);
  const NetOutputs together = net.forward(all.x, all.dt, {});
  for (std::int64_t row = 0; row < 3; ++row) {
    const NetOutputs alone = net.forward(all.x.narrow(0, row, 1), all.dt.narrow(0, row, 1), {});
    EXPECT_LE(worst(together.predictions.narrow(1, row, 1), alone.predictions), 1e-12) << row;
    EXPECT_LE(worst(together.state.means.narrow(0, row, 1), alone.state.means), 1e-12);
  }
}

TEST_P(StackNetVariants, ARestartedRowIsAtTheStartOfAStream) {
  const ModelConfig config = config_of(GetParam());
  const StackNet net = net_of(config, trained_a_little(config), at::kDouble);
  const at::NoGradGuard no_grad;
  const Streams all(2, 6, config.latent);
  const Streams first = all.part(0, 3), rest = all.part(3, 3);
  const NetState after = net.forward(first.x, first.dt, {}).state;
  at::Tensor begins = at::zeros({2}, at::kBool);
  begins[1] = true;
  const NetOutputs out = net.forward(rest.x, rest.dt, net.restarted(after, begins));
  EXPECT_LE(worst(out.predictions.narrow(1, 0, 1), net.forward(rest.x, rest.dt, after).predictions.narrow(1, 0, 1)), 1e-12);
  EXPECT_LE(worst(out.predictions.narrow(1, 1, 1), net.forward(rest.x, rest.dt, {}).predictions.narrow(1, 1, 1)), 1e-12);
  EXPECT_EQ(out.state.counts, (std::vector<std::int64_t>{6, 3}));
}

// --- gradients

// The predictions [horizons][T][tokens][latent] of one row from the start of its stream, in plain LibTorch: what the header
// of models/stack.h says, with the definition of a block.
at::Tensor plain(const ModelConfig& config, const definition::Parameters& p, const at::Tensor& x, const at::Tensor& dt) {
  const std::int64_t frames = x.size(0);
  std::vector<at::Tensor> means(config.running_means_s.size(), at::zeros_like(x[0]));
  std::vector<at::Tensor> seen, pulls;  // [tokens][…] each
  for (std::int64_t t = 0; t < frames; ++t) {
    std::vector<at::Tensor> parts{x[t]};
    at::Tensor pull = at::zeros({std::ssize(config.horizons_s), kTokens, config.latent}, x.options());
    for (std::size_t j = 0; j < means.size(); ++j) {
      const double k = std::max(1 - std::exp(-dt[t].item<double>() / config.running_means_s[j]), 1 / (static_cast<double>(t) + 1));
      means[j] = means[j] + k * (x[t] - means[j]);
      parts.push_back(means[j] - x[t]);
      pull = pull + p.at("mean_weights").select(1, static_cast<std::int64_t>(j)).view({-1, 1, 1}) * parts.back();
    }
    seen.push_back(at::cat(parts, -1));
    pulls.push_back(pull);
  }
  const auto affine = [&](const std::string& name, const at::Tensor& of) {
    return at::matmul(of, p.at(name + ".weight").t()) + p.at(name + ".bias");
  };
  at::Tensor h = (affine("input", at::stack(seen)) + p.at("position")).view({1, frames * kTokens, config.channels});
  const TttBlockConfig block = ttt_block_config(config);
  const RopeTable rope = mini_batch_rope(block.layer.mini_batch, block.layer.width / block.layer.heads, block.layer.rope_theta);
  for (int i = 0; i < config.layers; ++i) h = definition::block(block, rope, p, "blocks." + std::to_string(i) + ".", h).y;
  const at::Tensor normed = h * at::rsqrt((h * h).mean(-1, true) + 1e-6) * p.at("norm.weight");
  const at::Tensor head = affine("head", normed).view({frames, kTokens, std::ssize(config.horizons_s), config.latent});
  return x.unsqueeze(0) + at::stack(pulls).transpose(0, 1) + head.permute({2, 0, 1, 3});
}

// Two windows of two streams, and the state between them: the first stream goes on, the second one begins anew. The loss is
// the training's: squared errors of each horizon, cut where they are large.
TEST_P(StackNetVariants, GradientsThroughWindowsAreThoseOfTheDefinition) {
  const ModelConfig config = config_of(GetParam());
  const TensorFile file = trained_a_little(config);
  constexpr std::int64_t kWindow = 3;
  const Streams all(2, 2 * kWindow, config.latent);
  at::manual_seed(11);
  const at::Tensor targets = all.x + 0.3 * at::randn({std::ssize(config.horizons_s), 1, 1, kTokens, config.latent}, at::kDouble);
  const auto loss = [&](const at::Tensor& predictions, const at::Tensor& wanted) {
    const at::Tensor errors = (predictions - wanted.to(predictions.scalar_type())).square().mean(at::IntArrayRef{-2, -1});
    return at::clamp_max(errors, errors.detach().median().item<double>() * 1.5).sum();
  };

  StackNet oracle = net_of(config, file, at::kDouble);
  const auto row = [&](std::int64_t which, std::int64_t first, std::int64_t frames) {
    return plain(config, oracle.parameters(), all.x[which].narrow(0, first, frames), all.dt[which].narrow(0, first, frames));
  };
  const at::Tensor goes_on = row(0, 0, 2 * kWindow), before = row(1, 0, kWindow), anew = row(1, kWindow, kWindow);
  const at::Tensor first = at::stack({goes_on.narrow(1, 0, kWindow), before}, 1);
  const at::Tensor second = at::stack({goes_on.narrow(1, kWindow, kWindow), anew}, 1);
  (loss(first, targets.narrow(2, 0, kWindow)) + loss(second, targets.narrow(2, kWindow, kWindow))).backward();

  at::Tensor begins = at::zeros({2}, at::kBool);
  begins[1] = true;
  for (const auto& [type, limit] : {std::pair(at::kDouble, 1e-8), std::pair(at::kFloat, 1e-4)}) {
    StackNet net = net_of(config, file, type);
    const auto window = [&](std::int64_t at, const NetState& state) {
      return net.forward(all.x.narrow(1, at, kWindow).to(type), all.dt.narrow(1, at, kWindow).to(type), state);
    };
    const NetOutputs one = window(0, {});
    const NetOutputs two = window(kWindow, net.restarted(one.state, begins));
    EXPECT_LE(worst(one.predictions, first), limit);
    EXPECT_LE(worst(two.predictions, second), limit);
    (loss(one.predictions, targets.narrow(2, 0, kWindow)) + loss(two.predictions, targets.narrow(2, kWindow, kWindow))).backward();
    double most = 0;
    for (const auto& [name, parameter] : net.parameters()) {
      const at::Tensor& want = oracle.parameters().at(name).grad();
      ASSERT_EQ(parameter.grad().defined(), want.defined()) << name;
      if (!want.defined()) continue;
      const double off = worst(parameter.grad(), want);
      EXPECT_LE(off, limit) << name << (type == at::kDouble ? " in doubles" : " in floats");
      most = std::max(most, off);
    }
    std::printf("%s: worst gradient %.1e of the largest, limit %.0e\n", type == at::kDouble ? "double" : "float", most, limit);
  }
}

// A window is truncated where its state is cut off.
TEST(StackNet, NoGradientPassesADetachedState) {
  const ModelConfig config = config_of({"mlp"});
  const TensorFile file = trained_a_little(config);
  StackNet net = net_of(config, file);
  const Streams all(1, 4, config.latent);
  const auto window = [&](std::int64_t at, const NetState& state) {
    return net.forward(all.x.narrow(1, at, 2).to(at::kFloat), all.dt.narrow(1, at, 2).to(at::kFloat), state);
  };
  const NetOutputs one = window(0, {});
  for (const MixerState& layer : detached(one.state).layers) {
    for (const at::Tensor& tensor : layer.tensors) EXPECT_FALSE(tensor.requires_grad());
  }
  const NetOutputs two = window(2, detached(one.state));
  EXPECT_LE(worst(two.predictions, window(2, one.state).predictions), 0) << "the same numbers";
  two.predictions.sum().backward();
  // The learned start of the inner loop is only reached through the state.
  EXPECT_FALSE(net.parameters().at("blocks.0.seq_modeling_block.W1").grad().defined());
}

TEST(StackNet, SavedAndLoadedItIsTheSame) {
  const ModelConfig config = config_of({"mlp"});
  const StackNet net = net_of(config, trained_a_little(config));
  const StackNet again = net_of(config, net.save(TensorType::kF32));
  ASSERT_EQ(net.parameters().size(), again.parameters().size());
  for (const auto& [name, parameter] : net.parameters()) EXPECT_TRUE(at::equal(parameter, again.parameters().at(name))) << name;
  TensorFile lacking = net.save(TensorType::kF32);
  lacking.tensors.erase("head.bias");
  const auto refused = StackNet::load(config, lacking);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kModel);
  EXPECT_NE(refused.error().message.find("head.bias"), std::string::npos);
}

TEST(StackNet, RefusesOtherExtents) {
  const ModelConfig config = config_of({"mlp"});
  const StackNet net = net_of(config, trained_a_little(config));
  EXPECT_THROW((void)net.forward(at::zeros({1, 2, 16, 25}), at::zeros({1, 2}), {}), std::invalid_argument);
  EXPECT_THROW((void)net.forward(at::zeros({1, 2, 15, 24}), at::zeros({1, 2}), {}), std::invalid_argument);
  EXPECT_THROW((void)net.forward(at::zeros({1, 2, 16, 24}), at::zeros({1, 3}), {}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
