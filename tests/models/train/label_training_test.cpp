// The labels' net: what LibTorch learns is what the program computes slot by slot, at any frame rate.
#include "models/train/label_training.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/store/archive.h"
#include "models/labels/label_net.h"
#include "models/labels/label_set.h"
#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

const std::vector<std::string> kNames{"down", "up"};

// 12.5 frames a second. Each token's numbers are noise, to which the label adds what it is in the first channels: "up" where
// the stretch of 20 slots is odd, "down" where it is even, nothing in every fifth one.
LabelledVideo video_of(const TempDir& dir, const std::string& name, int slots, std::uint64_t seed) {
  std::vector<std::int64_t> times;
  std::vector<TrueEvent> truth;
  for (int i = 0; i < slots; ++i) times.push_back(80 * i);
  for (int i = 0; i < slots; i += 20) {
    if (i / 20 % 5 == 4) continue;
    truth.push_back({name, i * 0.08 - 0.01, (i + 20) * 0.08 - 0.01, kNames[static_cast<std::size_t>(i / 20 % 2)]});
  }
  Random random{seed};
  return labelled_video({made_features(dir, name, times,
                                       [&](std::int64_t frame, int i) {
                                         const float sign = frame / 20 % 2 == 0 ? -1.0F : 1.0F;
                                         return static_cast<float>(random.normal()) + (i % 320 < 8 ? 2 * sign : 0);
                                       })},
                        truth);
}

LabelTraining training_of(const TempDir& dir, std::uint64_t seed = 1, LabelTrainingOptions options = {}) {
  options.seed = seed;
  options.rows = 2;
  options.window = 60;
  return {kNames, {video_of(dir, "a", 230, 1), video_of(dir, "b", 70, 2)}, {video_of(dir, "c", 150, 3)}, options};
}

std::vector<float> tokens_of(const LabelledVideo& video, std::size_t slot) {
  std::vector<float> out;
  for (const std::uint16_t half : video.views.front()->tokens(video.frames[slot])) out.push_back(half_to_float(half));
  return out;
}

TEST(LabelTraining, SlotsAreTheirNearestFramesAndHaveTheirLabels) {
  const TempDir dir;
  // 5 frames a second, and then a gap.
  const auto features = made_features(dir, "v", {0, 200, 400, 1000}, [](std::int64_t, int) { return 0.0F; });
  const LabelledVideo video = labelled_video({features}, {{"v", 0.1, 0.35, "up"}});
  EXPECT_EQ(video.frames, (std::vector<std::int64_t>{0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3}));  // 0, 0.08, … 1.04
  EXPECT_EQ(video.truth, (std::vector<std::string>{"", "", "up", "up", "up", "", "", "", "", "", "", "", "", ""}));
}

TEST(LabelTraining, WhatIsLearnedIsWhatRuns) {
  const TempDir dir;
  LabelTraining training = training_of(dir);
  definition::Parameters& parameters = training.parameters();
  // Not the small numbers of a start, so that every part of the net counts.
  for (auto& [name, tensor] : parameters) {
    if (!name.starts_with("tokens.")) tensor.add_(0.05 * at::randn(tensor.sizes()));
  }
  const LabelledVideo video = video_of(dir, "d", 200, 4);
  const at::NoGradGuard no_grad;
  const at::Tensor inputs = label_inputs(parameters, video, 0, 0, 200, 0);
  at::Tensor expected = at::zeros({200, 2});
  for (int net = 0; net < LabelNetWeights::kNets; ++net) {
    expected += at::softmax(label_logits(parameters, net, inputs.unsqueeze(0))[0], -1) / LabelNetWeights::kNets;
  }
  const auto weights = load_label_net(training.weights(), kNames);
  ASSERT_TRUE(weights) << weights.error().message;
  LabelNet net(*weights);
  double apart = 0, spread = 0;
  for (std::size_t slot = 0; slot < 200; ++slot) {
    const std::vector<float>& said = net.step(tokens_of(video, slot), slot == 0 ? 0 : 0.08);
    const float wanted = expected.data_ptr<float>()[2 * slot];
    apart = std::max(apart, std::abs(static_cast<double>(said[0]) - wanted));
    spread = std::max(spread, std::abs(static_cast<double>(wanted) - expected.data_ptr<float>()[0]));
  }
  EXPECT_LT(apart, 2e-5);
  EXPECT_GT(spread, 0.1);  // it does say something
}

TEST(LabelTraining, MeansOfAWindowBeginBeforeIt) {
  const TempDir dir;
  LabelTraining training = training_of(dir);
  const LabelledVideo video = video_of(dir, "d", 200, 4);
  const at::Tensor whole = label_inputs(training.parameters(), video, 0, 0, 200, 0);
  const at::Tensor same = label_inputs(training.parameters(), video, 0, 120, 60, 120);
  EXPECT_TRUE(same.equal(whole.narrow(0, 120, 60)));
  const at::Tensor later = label_inputs(training.parameters(), video, 0, 120, 60, 10);
  EXPECT_FALSE(later.equal(whole.narrow(0, 120, 60)));
  EXPECT_TRUE(later.narrow(2, 0, 64).equal(whole.narrow(0, 120, 60).narrow(2, 0, 64)));  // x itself has no past
}

TEST(LabelTraining, LearnsWhatLabelsMean) {
  const TempDir dir;
  LabelTraining training = training_of(dir);
  const double before = training.judge(1).at("accuracy");
  TrainerOptions how;
  how.steps = 40;
  how.judge_every = 40;
  how.threads = 1;
  how.keep_last = true;
  const auto outcome = train(training, how, {}, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->best_step, 40);
  const Figures after = training.judge(2);
  EXPECT_GT(after.at("accuracy"), 0.9) << "before: " << before;
  EXPECT_GT(after.at("macro_f1"), 0.9);
}

TEST(LabelTraining, ALossIsAFunctionOfSeedAndStep) {
  const TempDir dir;
  LabelTraining one = training_of(dir), again = training_of(dir), other = training_of(dir, 2);
  Figures parts;
  const auto loss = [&](LabelTraining& of, std::int64_t step) {
    return of.loss(step, 0, of.parameters(), parts).item<double>();
  };
  EXPECT_EQ(loss(one, 3), loss(again, 3));
  EXPECT_EQ(loss(one, 3), loss(one, 3));
  EXPECT_NE(loss(one, 3), loss(one, 4));
  EXPECT_NE(loss(one, 3), loss(other, 3));
}

TEST(LabelTraining, GradientsAreThoseOfTheLoss) {
  const TempDir dir;
  LabelTraining training = training_of(dir);
  definition::Parameters& parameters = training.parameters();
  Figures parts;
  definition::Parameters leaves;
  for (auto& [name, tensor] : parameters) leaves[name] = tensor.clone().requires_grad_(training.learns(name));
  training.loss(3, 0, leaves, parts).backward();
  const at::NoGradGuard no_grad;
  int checked = 0, learned = 0;
  for (auto& [name, tensor] : parameters) {
    if (!training.learns(name)) continue;
    ++learned;
    const at::Tensor gradient = leaves.at(name).grad();
    const double length = gradient.norm().item<double>();
    if (length < 1e-4) continue;  // lost in the rounding of a loss
    const at::Tensor step = gradient * (2e-2 / length), start = tensor.clone();
    const auto loss_at = [&](double steps) {
      tensor.copy_(start + steps * step);
      return training.loss(3, 0, parameters, parts).item<double>();
    };
    const double rise = loss_at(0.5) - loss_at(-0.5);
    tensor.copy_(start);
    EXPECT_NEAR(rise / (2e-2 * length), 1, 0.05) << name;
    ++checked;
  }
  EXPECT_GT(checked, 0.9 * learned);
}

TEST(LabelTraining, TheProbeLearnsWhatVectorsSay) {
  // Nothing is in the vectors of made features, so the probe can only say the commoner label.
  const TempDir dir;
  std::vector<LabelledVideo> train;
  train.push_back(video_of(dir, "a", 230, 1));
  const LabelCounts counts = linear_probe(kNames, train, {video_of(dir, "c", 150, 3)});
  EXPECT_EQ(counts.frames, 130);
  EXPECT_DOUBLE_EQ(counts.frame_accuracy(), 60.0 / 130);  // learned from: 100 of "down", 90 of "up"; judged: 60 and 70
}

// From here on the net alone.
class Net : public testing::Test {
 protected:
  Net() : training_(training_of(dir_)), video_(video_of(dir_, "d", 90, 4)) {
    for (auto& [name, tensor] : training_.parameters()) {
      if (!name.starts_with("tokens.")) tensor.add_(0.05 * at::randn(tensor.sizes()));
    }
    weights_ = std::move(*load_label_net(training_.weights(), kNames));
  }
  std::vector<std::vector<float>> slots() const {
    LabelNet net(weights_);
    std::vector<std::vector<float>> out;
    for (std::size_t slot = 0; slot < 90; ++slot) out.push_back(net.step_slot(tokens_of(video_, slot)));
    return out;
  }

  const TempDir dir_;
  LabelTraining training_;
  LabelledVideo video_;
  LabelNetWeights weights_;
};

TEST_F(Net, FasterFramesAreLeftOutAndSlowerOnesStand) {
  const auto wanted = slots();
  LabelNet fast(weights_), slow(weights_), by_slots(weights_);
  for (std::size_t frame = 0; frame < 180; ++frame) {
    // 25 frames a second; every second one is nearer to the next slot.
    const auto& said = fast.step(tokens_of(video_, (frame + 1) / 2 % 90), frame == 0 ? 0 : 0.04);
    if (frame % 2 == 0 && frame < 178) {
      ASSERT_EQ(said, wanted[frame / 2]) << frame;
    }
  }
  for (std::size_t frame = 0; frame < 30; ++frame) {
    const auto said = slow.step(tokens_of(video_, frame), frame == 0 ? 0 : 0.24);
    std::vector<float> stood;
    for (int slot = 0; slot < (frame == 0 ? 1 : 3); ++slot) stood = by_slots.step_slot(tokens_of(video_, frame));
    ASSERT_EQ(said, stood) << frame;
  }
}

TEST_F(Net, ASplitStreamIsTheWhole) {
  const auto wanted = slots();
  for (const std::size_t cut : {1UL, 7UL, 40UL}) {
    LabelNet before(weights_);
    for (std::size_t slot = 0; slot < cut; ++slot) before.step_slot(tokens_of(video_, slot));
    TensorFile state;
    StateWriter(state, "")("net", before);
    LabelNet after(weights_);
    StateReader reader(state, "");
    reader("net", after);
    ASSERT_TRUE(reader.result()) << reader.result().error().message;
    for (std::size_t slot = cut; slot < 90; ++slot) ASSERT_EQ(after.step_slot(tokens_of(video_, slot)), wanted[slot]);
  }
}

TEST_F(Net, AfterABreakAllBeginsAnew) {
  const auto wanted = slots();
  LabelNet net(weights_);
  for (std::size_t slot = 0; slot < 33; ++slot) net.step_slot(tokens_of(video_, slot + 50));
  net.forget();
  for (std::size_t slot = 0; slot < 90; ++slot) ASSERT_EQ(net.step_slot(tokens_of(video_, slot)), wanted[slot]);
}

TEST_F(Net, AGapIsAsManySlotsOfTheFrameBehindIt) {
  LabelNet gap(weights_), slots(weights_);
  for (LabelNet* net : {&gap, &slots}) net->step(tokens_of(video_, 0), 0);
  const auto& said = gap.step(tokens_of(video_, 45), 24);
  for (int slot = 0; slot < 299; ++slot) slots.step_slot(tokens_of(video_, 45));
  EXPECT_EQ(said, slots.step_slot(tokens_of(video_, 45)));
  // Weeks are no more work than the means remember.
  EXPECT_EQ(gap.step(tokens_of(video_, 60), 1e6).size(), kNames.size());
}

TEST_F(Net, ComesBackFromItsFile) {
  ASSERT_TRUE(write_label_net(dir_ / "net.labels", {kNames, training_.weights(), "an encoder"}));
  const auto back = read_label_net(dir_ / "net.labels", "an encoder");
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_TRUE(back->has_value());
  EXPECT_EQ((*back)->names, kNames);
  EXPECT_EQ((*back)->sha256.size(), 64U);
  const auto weights = load_label_net((*back)->tensors, (*back)->names);
  ASSERT_TRUE(weights) << weights.error().message;
  LabelNet one(weights_), other(*weights);
  EXPECT_EQ(one.step_slot(tokens_of(video_, 0)), other.step_slot(tokens_of(video_, 0)));

  EXPECT_NE(read_label_net(dir_ / "net.labels", "another").error().message.find("trained with encoder"),
            std::string::npos);
  // It holds no examples, and a file of examples no net.
  EXPECT_NE(read_label_set(dir_ / "net.labels", "").error().message.find("train labels"), std::string::npos);
  ASSERT_TRUE(write_label_set(dir_ / "set.labels", {"an encoder", {}}));
  const auto none = read_label_net(dir_ / "set.labels", "an encoder");
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_FALSE(none->has_value());
}

TEST_F(Net, WhatDoesNotFitIsRefused) {
  TensorFile file = training_.weights();
  EXPECT_FALSE(load_label_net(file, {"one", "two", "three"}));
  const float nan = std::nanf("");
  file.tensors["nets.1.last.bias"] = Tensor::of(std::span<const float>(std::vector<float>{nan, 0}), {2});
  EXPECT_NE(load_label_net(file, kNames).error().message.find("not finite"), std::string::npos);
  file.tensors.erase("nets.2.mix.bias");
  EXPECT_FALSE(load_label_net(file, kNames));
  EXPECT_THROW(LabelNet(weights_).step_slot(std::vector<float>(7)), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
