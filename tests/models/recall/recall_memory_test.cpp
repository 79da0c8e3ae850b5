#include "models/recall/recall_memory.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/fresh_weights.h"
#include "models/recall/recall_net.h"

namespace longtake {
namespace {

constexpr int kLatent = 8;
constexpr std::size_t kFrame = kRecallTokens * kLatent;

RecallConfig small(const std::string& rule) {
  RecallConfig config;
  config.rule = rule;
  config.keys = 16;
  config.hidden = 12;
  config.features = 24;
  return config;
}

// Places that differ, each seen several times with a little noise.
std::vector<std::vector<float>> frames_of(int count, int places, unsigned seed) {
  std::mt19937 engine{seed};
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> place(static_cast<std::size_t>(places), std::vector<float>(kFrame));
  for (auto& numbers : place) std::ranges::generate(numbers, [&] { return normal(engine); });
  std::vector<std::vector<float>> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(place[static_cast<std::size_t>(i / 3 % places)]);
    for (float& number : out.back()) number += 0.05F * normal(engine);
  }
  return out;
}

class RecallMemoryRules : public testing::TestWithParam<std::string> {
 protected:
  RecallMemoryRules() : config_(small(GetParam())), file_(fresh_recall(config_, kLatent, 7)) {
    auto weights = load_recall(config_, kLatent, file_);
    EXPECT_TRUE(weights) << weights.error().message;
    weights_ = std::move(*weights);
  }

  RecallConfig config_;
  TensorFile file_;
  RecallWeights weights_;
};
INSTANTIATE_TEST_SUITE_P(Rules, RecallMemoryRules,
                         testing::Values("delta", "rls", "mlp", "mlp-last", "mlp-rls", "both-rls"), [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// The net that was trained is the net that watches.
TEST_P(RecallMemoryRules, IsTheNetOfLibTorchOneFrameAtATime) {
  const auto frames = frames_of(40, 5, 1);
  const auto net = RecallNet::load(config_, kLatent, file_);
  ASSERT_TRUE(net) << net.error().message;
  const at::NoGradGuard no_grad;
  const auto count = static_cast<std::int64_t>(frames.size());
  const at::Tensor x = at::empty({1, count, kRecallTokens, kLatent});
  for (std::int64_t t = 0; t < count; ++t) {
    std::ranges::copy(frames[static_cast<std::size_t>(t)], x.data_ptr<float>() + t * static_cast<std::int64_t>(kFrame));
  }
  const auto whole = net->forward(x, {}, at::ones({1, count}));
  const at::Tensor errors = (whole.predictions - x).square().mean(-1);  // [1][T][tokens]
  const at::Tensor read_back = (net->forward(x, whole.state, {}).predictions - x).square().mean(-1);

  RecallMemory memory(weights_);
  for (std::int64_t t = 0; t < count; ++t) {
    const RecallObservation seen = memory.step(frames[static_cast<std::size_t>(t)]);
    for (std::int64_t token = 0; token < kRecallTokens; ++token) {
      const float want = errors[0][t][token].item<float>();
      ASSERT_NEAR(seen.errors[static_cast<std::size_t>(token)], want, 1e-5F * (1 + want)) << "frame " << t << " token " << token;
    }
    const auto mean = errors[0][t].mean().item<double>();
    EXPECT_NEAR(seen.error, mean, 1e-5 * (1 + mean));
  }
  for (int half = 0; half < 2; ++half) {
    const auto& state = memory.state().halves[static_cast<std::size_t>(half)];
    ASSERT_EQ(std::ssize(state), whole.state.size(1));
    for (std::int64_t i = 0; i < whole.state.size(1); ++i) {
      ASSERT_NEAR(state[static_cast<std::size_t>(i)], whole.state[half][i].item<float>(), 1e-5F) << i;
    }
  }
  const RecallState before = memory.state();
  const RecallObservation read = memory.read(frames[3]);
  for (std::int64_t token = 0; token < kRecallTokens; ++token) {
    EXPECT_NEAR(read.errors[static_cast<std::size_t>(token)], read_back[0][3][token].item<float>(), 2e-5F);
  }
  EXPECT_EQ(memory.state().halves, before.halves) << "reading is not writing";
  EXPECT_EQ(memory.state().written, 40);
}

TEST_P(RecallMemoryRules, KnowsAFrameThatItHasWritten) {
  const auto frames = frames_of(3, 1, 2);
  RecallMemory memory(weights_);
  const double first = memory.step(frames[0]).error;
  for (int i = 0; i < 30; ++i) memory.step(frames[static_cast<std::size_t>(i % 3)]);
  EXPECT_LT(memory.read(frames[0]).error, 0.5 * first);
}

TEST_P(RecallMemoryRules, ContinuedFromItsSavedStateItGivesTheSameBitsOnAnyThread) {
  const auto frames = frames_of(20, 4, 3);
  RecallMemory whole(weights_);
  std::vector<RecallObservation> expected;
  for (const auto& frame : frames) expected.push_back(whole.step(frame));

  RecallMemory first(weights_);
  for (std::size_t i = 0; i < 7; ++i) first.step(frames[i]);
  TensorFile file;
  save_state(first.state(), file);
  auto state = load_state(weights_, file);
  ASSERT_TRUE(state) << state.error().message;
  RecallMemory second(weights_);
  second.state() = std::move(*state);
  std::thread([&] {
    for (std::size_t i = 7; i < frames.size(); ++i) {
      const RecallObservation seen = second.step(frames[i]);
      EXPECT_EQ(seen.errors, expected[i].errors);
      EXPECT_EQ(seen.error, expected[i].error);
    }
  }).join();
  EXPECT_EQ(second.state().halves, whole.state().halves);
  EXPECT_EQ(second.state().written, 20);

  TensorFile again;
  save_state(second.state(), again);
  EXPECT_EQ(serialize_tensors(again).size(), serialize_tensors(file).size()) << "the size does not grow";
  const auto summary = summarize_recall(again);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->written, 20);
  EXPECT_GE(summary->bytes, static_cast<std::int64_t>(2 * recall_state_size(weights_.shape) * sizeof(float)));
}

TEST_P(RecallMemoryRules, WhatIsNotFiniteIsRefusedAndCounted) {
  auto frames = frames_of(9, 2, 4);
  RecallMemory memory(weights_);
  for (const auto& frame : frames) memory.step(frame);
  const RecallState before = memory.state();
  frames[0][5] = std::numeric_limits<float>::quiet_NaN();
  frames[1].assign(kFrame, std::numeric_limits<float>::infinity());
  memory.step(frames[0]);
  memory.step(frames[1]);
  EXPECT_EQ(memory.state().halves, before.halves);
  EXPECT_EQ(memory.state().guards, 4) << "two halves of two frames";
  EXPECT_TRUE(std::isfinite(memory.step(frames[2]).error));
}

TEST_P(RecallMemoryRules, WrongWeightsAreRefusedByName) {
  for (const auto& [name, tensor] : file_.tensors) {
    TensorFile missing = file_;
    missing.tensors.erase(name);
    const auto without = load_recall(config_, kLatent, missing);
    ASSERT_FALSE(without) << name;
    EXPECT_EQ(without.error().kind, ErrorKind::kModel);
    EXPECT_THAT(without.error().message, testing::HasSubstr(name));

    TensorFile broken = file_;
    auto& bytes = broken.tensors[name].bytes;
    bytes[0] = std::byte{0};  // a 16-bit float: infinite
    bytes[1] = std::byte{0x7c};
    const auto infinite = load_recall(config_, kLatent, broken);
    ASSERT_FALSE(infinite) << name;
    EXPECT_THAT(infinite.error().message, testing::HasSubstr(name));
  }
  EXPECT_FALSE(load_recall(config_, kLatent + 1, file_)) << "of another width";
  for (const char* name : {"log_lambda", "log_rate"}) {
    if (!file_.contains(name)) continue;
    for (const float logarithm : {-200.0F, 200.0F}) {
      TensorFile far = file_;
      far.tensors[name] = Tensor::of(std::span(&logarithm, 1), {});
      EXPECT_FALSE(load_recall(config_, kLatent, far)) << name << " " << logarithm;
    }
  }
}

TEST_P(RecallMemoryRules, AStateOfAnotherShapeIsRefused) {
  TensorFile file;
  save_state(start_state(weights_), file);
  file.tensors["recall.halves.1"].shape = {3};
  file.tensors["recall.halves.1"].bytes.resize(12);
  const auto state = load_state(weights_, file);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind, ErrorKind::kModel);
  EXPECT_FALSE(load_state(weights_, {})) << "of a model without";
  EXPECT_FALSE(summarize_recall({}));
}

TEST(RecallMemory, AFrameOfAnotherExtentIsTheCallersMistake) {
  const RecallConfig config = small("rls");
  const auto weights = load_recall(config, kLatent, fresh_recall(config, kLatent, 7));
  ASSERT_TRUE(weights);
  RecallMemory memory(*weights);
  EXPECT_THROW(memory.step(std::vector<float>(kFrame - 1)), std::invalid_argument);
  EXPECT_THROW(memory.read({}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
