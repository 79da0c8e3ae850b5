// Every mixer that a model folder can name: what a mixer promises, and, of the rivals, that they are what their papers say.
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/net/mixer.h"
#include "tests/models/baselines/mixer_oracles.h"

namespace longtake {
namespace {

constexpr std::int64_t kFrames = 7;

ModelConfig small(const std::string& inner) {
  ModelConfig config;
  config.inner = inner;
  config.tokens = 4;
  config.channels = 8;
  config.heads = 2;
  config.window_frames = 3;
  return config;
}

// Nothing at zero or one, whatever it starts from.
definition::Parameters drawn(const Mixer& mixer, const std::string& prefix, at::ScalarType type) {
  definition::Parameters out;
  for (const ParameterStart& part : mixer.parameters()) {
    const at::Tensor value = part.centre + 0.4 * at::randn(part.shape, at::kDouble);
    out[prefix + part.name] = value.to(type).set_requires_grad(true);
  }
  return out;
}

double worst(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).abs().max() / at::clamp_min(want.abs().max(), 1e-12)).item<double>();
}

class EveryMixer : public testing::TestWithParam<std::string> {
 protected:
  EveryMixer() { at::manual_seed(7); }
  const std::string prefix_ = "blocks.0.seq_modeling_block.";
  const ModelConfig config_ = small(GetParam());
  const std::unique_ptr<const Mixer> mixer_ = make_mixer(config_);

  at::Tensor input(std::int64_t rows, at::ScalarType type = at::kDouble) const {
    return at::randn({rows, kFrames, config_.tokens, config_.channels}, at::kDouble).to(type);
  }
  MixerOutputs run(const definition::Parameters& parameters, const at::Tensor& x, const MixerState& state = {}) const {
    return mixer_->forward(parameters, prefix_, x, state);
  }
  // In windows of these lengths.
  MixerOutputs run(const definition::Parameters& parameters, const at::Tensor& x,
                   const std::vector<std::int64_t>& windows, const MixerState& start) const {
    MixerOutputs out;
    out.state = start;
    std::vector<at::Tensor> parts;
    std::int64_t at = 0;
    for (const std::int64_t frames : windows) {
      out = run(parameters, x.narrow(1, at, frames), out.state);
      parts.push_back(out.y);
      at += frames;
    }
    EXPECT_EQ(at, x.size(1));
    out.y = at::cat(parts, 1);
    return out;
  }
};
std::string as_test_name(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Inner, EveryMixer, testing::ValuesIn(inner_names()), as_test_name);

TEST_P(EveryMixer, AnyWindowsGiveWhatTheWholeStreamGives) {
  for (const auto& [type, limit] : {std::pair(at::kDouble, 1e-12), std::pair(at::kFloat, 1e-5)}) {
    const auto parameters = drawn(*mixer_, prefix_, type);
    const at::Tensor x = input(2, type);
    const MixerOutputs whole = run(parameters, x);
    for (const std::vector<std::int64_t>& windows :
         {std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1}, {1, 2, 4}, {6, 1}, {5, 2}}) {
      for (const MixerState& start : {MixerState{}, mixer_->start(parameters, prefix_, 2)}) {
        const MixerOutputs split = run(parameters, x, windows, start);
        EXPECT_LE(worst(split.y, whole.y), limit) << GetParam() << " " << testing::PrintToString(windows);
        ASSERT_EQ(split.state.tensors.size(), whole.state.tensors.size());
        for (std::size_t i = 0; i < whole.state.tensors.size(); ++i) {
          EXPECT_LE(worst(split.state.tensors[i], whole.state.tensors[i]), limit);
        }
      }
    }
  }
}

TEST_P(EveryMixer, ALaterFrameChangesNoEarlierAnswer) {
  const auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(1);
  const at::Tensor before = run(parameters, x).y;
  for (std::int64_t t = 1; t < kFrames; ++t) {
    at::Tensor changed = x.clone();
    changed.select(1, t).add_(at::randn_like(changed.select(1, t)));
    const at::Tensor after = run(parameters, changed).y;
    EXPECT_LE((after - before).narrow(1, 0, t).abs().max().item<double>(), 1e-14) << "frame " << t;
    const double here = (after - before).select(1, t).abs().max().item<double>();
    EXPECT_TRUE(here > 1e-6 || GetParam() == "none");
  }
}

TEST_P(EveryMixer, AnEarlierFrameChangesLaterAnswers) {
  if (GetParam() == "none") GTEST_SKIP() << "remembers nothing";
  const auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(1);
  at::Tensor changed = x.clone();
  changed.select(1, 0).add_(1);
  const at::Tensor apart = (run(parameters, changed).y - run(parameters, x).y).abs();
  EXPECT_GT(apart.select(1, 2).max().item<double>(), 1e-9);
  const bool out_of_its_window = GetParam() == "attention-window";
  EXPECT_EQ(apart.select(1, 3).max().item<double>() == 0, out_of_its_window);
}

TEST_P(EveryMixer, RowsHaveNothingToDoWithOneAnother) {
  const auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(3);
  const MixerOutputs together = run(parameters, x);
  for (std::int64_t row = 0; row < 3; ++row) {
    EXPECT_LE(worst(run(parameters, x.narrow(0, row, 1)).y, together.y.narrow(0, row, 1)), 1e-13);
  }
}

// As StackNet::restarted() does it.
TEST_P(EveryMixer, ARowMayBeginAnewWhileAnotherGoesOn) {
  const auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(2);
  MixerState state = run(parameters, x).state;
  const MixerState start = mixer_->start(parameters, prefix_, 2);
  ASSERT_EQ(start.tensors.size(), state.tensors.size());
  const at::Tensor begins = at::tensor({1, 0}).to(at::kBool);
  for (std::size_t i = 0; i < state.tensors.size(); ++i) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(state.tensors[i].dim()), 1);
    shape[0] = 2;
    state.tensors[i] = at::where(begins.view(shape), start.tensors[i], state.tensors[i]);
  }
  const at::Tensor mixed = run(parameters, x, state).y;
  EXPECT_LE(worst(mixed[0], run(parameters, x.narrow(0, 0, 1)).y[0]), 1e-12);
  const at::Tensor twice = at::cat({x, x}, 1).narrow(0, 1, 1);
  EXPECT_LE(worst(mixed[1], run(parameters, twice).y[0].narrow(0, kFrames, kFrames)), 1e-12);
}

TEST_P(EveryMixer, GradientsAreThoseOfFiniteDifferences) {
  auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(2).set_requires_grad(true);
  const auto loss = [&] { return run(parameters, x, {3, 4}, {}).y.sin().sum(); };
  const at::Tensor value = loss();
  if (!value.requires_grad()) GTEST_SKIP() << "has nothing to learn";
  value.backward();
  const auto check = [&](const std::string& name, const at::Tensor& leaf) {
    ASSERT_TRUE(leaf.grad().defined()) << name;
    const at::NoGradGuard no_grad;
    const at::Tensor flat = leaf.detach().view(-1), gradient = leaf.grad().reshape(-1);
    for (std::int64_t i = 0; i < flat.numel(); i += 1 + flat.numel() / 3) {
      const double was = flat[i].item<double>(), step = 1e-5;
      flat[i] = was + step;
      const double above = loss().item<double>();
      flat[i] = was - step;
      const double below = loss().item<double>();
      flat[i] = was;
      const double want = (above - below) / (2 * step);
      EXPECT_NEAR(gradient[i].item<double>(), want, 1e-6 * std::max(1.0, std::abs(want))) << name << " " << i;
    }
  };
  check("x", x);
  for (auto& [name, parameter] : parameters) check(name, parameter);
}

TEST_P(EveryMixer, AStateHasOneSize) {
  const auto parameters = drawn(*mixer_, prefix_, at::kDouble);
  const at::Tensor x = input(2);
  const std::size_t one = state_bytes(run(parameters, x.narrow(1, 0, 1)).state);
  const std::size_t all = state_bytes(run(parameters, x).state);
  EXPECT_EQ(state_bytes(run(parameters, x.narrow(0, 0, 1)).state), all) << "of one row, however many there are";
  if (GetParam() == "attention" || GetParam() == "nadaraya-watson") {
    EXPECT_EQ(all, one * kFrames);
  } else {
    EXPECT_EQ(all, one);
    EXPECT_EQ(state_bytes(mixer_->start(parameters, prefix_, 2)), one);
  }
}

// The table of rival_mixers.h.
TEST(RivalMixers, AreOfTheDocumentedSize) {
  struct Row {
    std::string inner;
    std::int64_t parameters;
    std::size_t bytes;  // after two frames
  };
  const std::int64_t c = 128, f = 64;
  for (const Row& row :
       {Row{"none", 0, 0}, Row{"gru", 7 * c * c + 6 * c, 8192}, Row{"lstm", 9 * c * c + 4 * c, 16384},
        Row{"rwkv", 4 * c * c + 5 * c, 32768}, Row{"gla", 6 * c * c + c + f, 32768},
        Row{"mamba", 6 * c * c + (6 * 16 + 4 * 8 + 14) * c, 311296}, Row{"attention", 4 * c * c + 2 * f, 2 * 16388},
        Row{"attention-window", 4 * c * c + 2 * f, 508028}, Row{"mlp", -1, 264704}}) {
    ModelConfig config;
    config.inner = row.inner;
    const auto mixer = make_mixer(config);
    std::int64_t count = 0;
    for (const ParameterStart& part : mixer->parameters()) {
      std::int64_t numbers = 1;
      for (const std::int64_t extent : part.shape) numbers *= extent;
      count += numbers;
    }
    EXPECT_TRUE(count == row.parameters || row.parameters < 0) << row.inner << " " << count;
    const at::NoGradGuard no_grad;
    const auto out = mixer->forward(drawn(*mixer, "", at::kFloat), "", at::zeros({1, 2, 16, 128}), {});
    EXPECT_EQ(state_bytes(out.state), row.bytes) << row.inner;
  }
}

class Rivals : public EveryMixer {};
INSTANTIATE_TEST_SUITE_P(Inner, Rivals,
                         testing::Values("gru", "lstm", "rwkv", "gla", "mamba", "attention", "attention-window"),
                         as_test_name);

TEST_P(Rivals, AreWhatTheirPapersSay) {
  const auto parameters = drawn(*mixer_, "", at::kDouble);
  const at::Tensor x = input(1);
  const at::Tensor got = mixer_->forward(parameters, "", x, {}).y;
  EXPECT_LE(worst(got, oracle::mixer(config_, parameters, x)), 1e-12);
}

TEST(Rwkv, LargeExponentsDoNoHarm) {
  at::manual_seed(2);
  const auto mixer = make_mixer(small("rwkv"));
  auto parameters = drawn(*mixer, "", at::kFloat);
  parameters["k_proj.weight"] = (parameters["k_proj.weight"] * 1e4).detach().set_requires_grad(true);
  const at::Tensor y = mixer->forward(parameters, "", at::randn({1, kFrames, 4, 8}), {}).y;
  y.sum().backward();
  EXPECT_TRUE(at::isfinite(y).all().item<bool>());
  for (const auto& [name, parameter] : parameters)
    EXPECT_TRUE(at::isfinite(parameter.grad()).all().item<bool>()) << name;
}

// A hundred thousand frames on, the same three frames are looked at in the same way.
TEST(Attention, OnlyDistancesInTimeCount) {
  at::manual_seed(3);
  const auto mixer = make_mixer(small("attention"));
  const auto parameters = drawn(*mixer, "", at::kFloat);
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::randn({1, 3, 4, 8});
  const std::int64_t old = 100'000;
  MixerState late = mixer->start(parameters, "", 1);
  late.tensors[0] = at::zeros({1, old, 4, 8});
  late.tensors[1] = at::zeros({1, old, 4, 8});
  late.tensors[2] = at::zeros({1, old});
  late.tensors[2][0][0] = 1;  // one frame of zeros, from the beginning of time
  MixerState early = late;
  for (at::Tensor& tensor : early.tensors) tensor = tensor.narrow(1, 0, 1);
  const auto far = mixer->forward(parameters, "", x, late);
  EXPECT_LE(worst(far.y, mixer->forward(parameters, "", x, early).y), 1e-5);
  EXPECT_EQ(far.state.tensors[0].size(1), old + 3);
}

}  // namespace
}  // namespace longtake
