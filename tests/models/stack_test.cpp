#include "models/stack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "models/fresh_weights.h"
#include "models/model.h"

namespace longtake {
namespace {

class StackOnFreshWeights : public testing::Test {
 protected:
  StackOnFreshWeights() {
    config_.channels = 32;
    config_.swiglu = 48;
    config_.latent = 24;
    std::vector<float> mean(320), scale(320);
    for (std::size_t i = 0; i < 320; ++i) {
      mean[i] = 0.01F * static_cast<float>(i % 7);
      scale[i] = 0.5F + 0.01F * static_cast<float>(i % 13);
    }
    file_ = fresh_stack(config_, 3, mean, scale);
    auto weights = load_stack(config_, file_);
    EXPECT_TRUE(weights) << weights.error().message;
    weights_ = std::move(*weights);
  }

  std::vector<float> tokens() {
    std::vector<float> out(16 * 320);
    for (float& v : out) v = normal_(engine_);
    return out;
  }

  ModelConfig config_;
  TensorFile file_;
  StackWeights weights_;
  std::mt19937 engine_{5};
  std::normal_distribution<float> normal_;
};

TEST_F(StackOnFreshWeights, TheFirstFrameHasNothingToBeComparedWith) {
  Stack stack(weights_);
  const auto first = stack.step(tokens(), 0);
  EXPECT_FALSE(first.next_latent_error);
  ASSERT_EQ(first.layers.size(), 2U);
  for (const LayerLoss& layer : first.layers) {
    EXPECT_GT(layer.before, 0);
    EXPECT_LT(layer.after, layer.before) << "a gradient step on a frame lowers the loss on that frame";
    EXPECT_GT(layer.drift, 0);
  }
  EXPECT_TRUE(stack.step(tokens(), 0.04).next_latent_error);
}

// With a head of zeros the prediction is x + Σ_j a_j (m_j − x); computed here from the stored tensors in double.
TEST_F(StackOnFreshWeights, UntrainedItPredictsRunningMeans) {
  const auto mean = file_.floats("tokens.mean", {320}).value();
  const auto scale = file_.floats("tokens.scale", {320}).value();
  const auto projection = file_.floats("tokens.projection", {24, 320}).value();
  const auto a = file_.floats("mean_weights", {3, 3}).value();
  const auto project = [&](const std::vector<float>& frame) {
    std::vector<double> x(16 * 24, 0.0);
    for (std::size_t t = 0; t < 16; ++t) {
      for (std::size_t o = 0; o < 24; ++o) {
        for (std::size_t i = 0; i < 320; ++i) {
          x[t * 24 + o] += (static_cast<double>(frame[t * 320 + i]) - mean[i]) / scale[i] * projection[o * 320 + i];
        }
      }
    }
    return x;
  };
  Stack stack(weights_);
  std::vector<std::vector<double>> m(3);
  std::vector<double> prediction;
  const double tau[] = {0.3, 1, 10};
  for (int n = 0; n < 60; ++n) {
    const double dt = n == 0 ? 0 : 0.02 + 0.03 * (n % 3);
    const auto frame = tokens();
    const auto seen = stack.step(frame, dt);
    const auto x = project(frame);
    if (n > 0) {
      double error = 0;
      for (std::size_t i = 0; i < x.size(); ++i) error += std::pow(x[i] - prediction[i], 2) / static_cast<double>(x.size());
      ASSERT_TRUE(seen.next_latent_error);
      EXPECT_NEAR(*seen.next_latent_error, error, 1e-4 * error);
    }
    prediction = x;
    for (std::size_t j = 0; j < 3; ++j) {
      if (m[j].empty()) m[j] = x;
      const double k = std::max(1 - std::exp(-dt / tau[j]), 1.0 / (n + 1));
      for (std::size_t i = 0; i < x.size(); ++i) {
        m[j][i] += k * (x[i] - m[j][i]);
        prediction[i] += a[j] * (m[j][i] - x[i]);
      }
    }
  }
}

TEST_F(StackOnFreshWeights, LearnsAFrameItSeesAgainAndAgain) {
  Stack stack(weights_);
  const auto frame = tokens();
  const auto first = stack.step(frame, 0);
  StackObservation last;
  for (int i = 0; i < 100; ++i) last = stack.step(frame, 0.04);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_LT(last.layers[i].before, 0.5F * first.layers[i].before);
  EXPECT_LT(*last.next_latent_error, 1e-6) << "nothing moves, so the last frame is the next";
}

TEST_F(StackOnFreshWeights, ContinuedFromItsSavedStateItGivesTheSameBits) {
  std::vector<std::vector<float>> frames;
  for (int i = 0; i < 12; ++i) frames.push_back(tokens());
  Stack whole(weights_);
  std::vector<StackObservation> expected;
  for (const auto& frame : frames) expected.push_back(whole.step(frame, 0.04));

  Stack first(weights_);
  for (std::size_t i = 0; i < 5; ++i) first.step(frames[i], 0.04);
  TensorFile file;
  save_state(weights_, first.state(), file);
  auto state = load_state(weights_, file);
  ASSERT_TRUE(state) << state.error().message;
  Stack second(weights_);
  second.state() = std::move(*state);
  for (std::size_t i = 5; i < frames.size(); ++i) {
    const auto seen = second.step(frames[i], 0.04);
    EXPECT_EQ(*seen.next_latent_error, *expected[i].next_latent_error);
    for (std::size_t l = 0; l < 2; ++l) {
      EXPECT_EQ(seen.layers[l].before, expected[i].layers[l].before);
      EXPECT_EQ(seen.layers[l].after, expected[i].layers[l].after);
      EXPECT_EQ(seen.layers[l].drift, expected[i].layers[l].drift);
    }
  }
}

TEST_F(StackOnFreshWeights, ABreakForgetsTheMomentAndKeepsWhatWasLearned) {
  Stack stack(weights_);
  for (int i = 0; i < 20; ++i) stack.step(tokens(), 0.04);
  const auto learned = stack.state().blocks[0].layer.weights;
  break_off(stack.state());
  EXPECT_EQ(stack.state().blocks[0].layer.weights, learned);
  EXPECT_FALSE(stack.step(tokens(), 0).next_latent_error);
}

TEST_F(StackOnFreshWeights, FreshWeightsAreTheSameFromTheSameSeed) {
  const std::vector<float> mean(320, 0.0F), scale(320, 1.0F);
  EXPECT_EQ(serialize_tensors(fresh_stack(config_, 9, mean, scale)), serialize_tensors(fresh_stack(config_, 9, mean, scale)));
  EXPECT_NE(serialize_tensors(fresh_stack(config_, 9, mean, scale)), serialize_tensors(fresh_stack(config_, 10, mean, scale)));
}

TEST_F(StackOnFreshWeights, ARivalIsRefusedByName) {
  ModelConfig rival = config_;
  rival.inner = "gru";
  const auto refused = load_stack(rival, file_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kModel);
  EXPECT_NE(refused.error().message.find("\"gru\""), std::string::npos) << refused.error().message;
}

TEST_F(StackOnFreshWeights, AMissingOrMisshapenTensorIsRefusedByName) {
  TensorFile missing = file_;
  missing.tensors.erase("blocks.1.seq_modeling_block.W2");
  EXPECT_FALSE(load_stack(config_, missing));
  ModelConfig other = config_;
  other.channels = 64;
  const auto refused = load_stack(other, file_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kModel);
}

}  // namespace
}  // namespace longtake
