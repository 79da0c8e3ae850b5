#include "models/train/trainer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <vector>

#include "models/net/tensor_file.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::HasSubstr;

// Two shards pull w towards places that change with the step and with what they carried from the step before.
class Toy final : public Trainee {
 public:
  Toy() { parameters_["w"] = at::tensor({1.0F, -2.0F, 0.5F}); }

  definition::Parameters& parameters() override { return parameters_; }
  bool learns(std::string_view) const override { return true; }
  bool decays(std::string_view) const override { return true; }
  int shards() const override { return 2; }
  at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) override {
    at::Tensor& carried = carried_[shard];
    const at::Tensor& w = parameters.at("w");
    const at::Tensor off = w - carried - 0.1F * static_cast<float>(step % 3 + shard);
    carried = (0.5F * carried + 0.1F * w).detach();
    parts["shard"] = shard;
    if (step == bad_step) return off.sum() * std::numeric_limits<float>::quiet_NaN();
    // Finite, with a gradient that is not.
    if (step == bad_gradient_step) return at::sqrt((off * 0).square().sum());
    return off.square().sum();
  }
  std::string describe(std::int64_t step) const override { return "the material of " + std::to_string(step); }
  Figures judge(int) override {
    const double score = scores.empty() ? parameters_["w"].square().sum().item<double>() : scores[judged % scores.size()];
    ++judged;
    return {{"score", score}, {"other", 2 * score}};
  }
  void save(TensorFile& file) const override {
    for (int i = 0; i < 2; ++i) file.tensors["carried." + std::to_string(i)] = stored(carried_[i], TensorType::kF32);
  }
  Result<void> load(const TensorFile& file) override {
    for (int i = 0; i < 2; ++i) {
      auto tensor = tensor_of(file, "carried." + std::to_string(i), {3});
      if (!tensor) return std::move(tensor).error();
      carried_[i] = *tensor;
    }
    return {};
  }

  std::vector<double> scores;  // of one judgement after the other; empty: from the parameters
  std::size_t judged = 0;
  std::int64_t bad_step = -1, bad_gradient_step = -1;

 private:
  definition::Parameters parameters_;
  at::Tensor carried_[2] = {at::zeros({3}), at::zeros({3})};
};

TrainerOptions ten_steps() {
  TrainerOptions options;
  options.steps = 10;
  options.rate = 0.1;
  options.judge_every = 2;
  options.settings = "these";
  return options;
}

Result<TrainerOutcome> run(Toy& toy, const TrainerOptions& options,
                           const std::function<void(const TrainerStep&)>& on_step = {}, std::stop_token stop = {}) {
  return train(toy, options, on_step, stop);
}

TEST(Trainer, TellsEveryStepAndJudgesNowAndThen) {
  Toy toy;
  std::vector<std::int64_t> steps, judged;
  const auto outcome = run(toy, ten_steps(), [&](const TrainerStep& step) {
    steps.push_back(step.step);
    if (step.judged) judged.push_back(step.step);
    if (step.step == 0) return;
    EXPECT_DOUBLE_EQ(step.parts.at("shard"), 0.5) << "the mean over shards";
    EXPECT_DOUBLE_EQ(step.rate, scheduled_rate(ten_steps(), step.step - 1));
    EXPECT_GT(step.gradient, 0);
    EXPECT_EQ(step.steps, 10);
  });
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(steps, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_THAT(judged, testing::ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_EQ(outcome->ended, "steps");
  EXPECT_EQ(outcome->steps, 10);
}

TEST(Trainer, ALossIsTheMeanOverItsShards) {
  Toy toy, by_hand;
  TrainerOptions options = ten_steps();
  options.steps = 1;
  Figures parts;
  double loss = 0;
  for (int shard = 0; shard < 2; ++shard) loss += by_hand.loss(0, shard, by_hand.parameters(), parts).item<double>() / 2;
  // ∂ of Σ (w − 0.1 shard)²: twice w, less 0.1
  const at::Tensor gradient = 2 * by_hand.parameters()["w"] - 0.1;
  ASSERT_TRUE(run(toy, options, [&](const TrainerStep& step) {
    if (step.step == 0) return;
    EXPECT_NEAR(step.loss, loss, 1e-5);
    EXPECT_NEAR(step.gradient, gradient.norm().item<double>(), 1e-5);
  }).ok());
}

TEST(Trainer, KeepsTheBestAndStopsWhenNothingGetsBetter) {
  Toy toy;
  toy.scores = {9, 5, 3, 4, 4, 6, 7};
  TrainerOptions options = ten_steps();
  options.steps = 100;
  options.patience = 3;
  std::vector<at::Tensor> after;
  const auto outcome = run(toy, options, [&](const TrainerStep&) { after.push_back(toy.parameters()["w"].detach().clone()); });
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->ended, "no better");
  EXPECT_EQ(outcome->best_step, 4);
  EXPECT_EQ(outcome->best_score, 3);
  EXPECT_EQ(outcome->best.at("other"), 6);
  EXPECT_EQ(outcome->steps, 10) << "three judgements later";
  EXPECT_TRUE(at::equal(toy.parameters()["w"], after[4]));
}

TEST(Trainer, IsMorePatientWithLongTrainings) {
  TrainerOptions options;
  options.judge_every = 20;
  options.steps = 160;
  EXPECT_EQ(usual_patience(options), 4);
  options.steps = 1800;
  EXPECT_EQ(usual_patience(options), 22) << "440 steps";
}

TEST(Trainer, EndsWhenItsTimeIsUp) {
  Toy toy;
  TrainerOptions options = ten_steps();
  options.budget_s = 1e-9;
  const auto outcome = run(toy, options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->ended, "budget");
  EXPECT_EQ(outcome->steps, 1);
}

TEST(Trainer, StopsAtANumberThatIsNotFinite) {
  const TempDir dir;
  for (const bool gradient : {false, true}) {
    Toy toy;
    (gradient ? toy.bad_gradient_step : toy.bad_step) = 4;
    TrainerOptions options = ten_steps();
    options.checkpoint = dir / "checkpoint";
    const auto outcome = run(toy, options);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kUnexpected);
    EXPECT_THAT(outcome.error().message, HasSubstr(gradient ? "the gradient of training step 5" : "the loss of training step 5"));
    EXPECT_THAT(outcome.error().message, HasSubstr("the material of 4"));
    EXPECT_TRUE(at::isfinite(toy.parameters()["w"]).all().item<bool>());
  }
}

TEST(Trainer, StoppedAtAnyStepItGoesOnToTheSameBits) {
  const TempDir dir;
  TrainerOptions options = ten_steps();
  options.patience = 2;
  for (const std::vector<double>& scores : {std::vector<double>{}, {9, 8, 8.5, 8.2, 7, 6}}) {
    Toy whole;
    whole.scores = scores;
    std::vector<TrainerStep> wanted;
    const auto uninterrupted = run(whole, options, [&](const TrainerStep& step) { wanted.push_back(step); });
    ASSERT_TRUE(uninterrupted.ok());
    TrainerOptions kept = options;
    kept.checkpoint = dir / "checkpoint";
    for (std::int64_t at = 0; at < uninterrupted->steps; ++at) {
      Toy first, second;
      first.scores = second.scores = scores;
      std::stop_source stop;
      std::vector<TrainerStep> got;
      const auto stopped = run(first, kept, [&](const TrainerStep& step) {
        got.push_back(step);
        if (step.step == at) stop.request_stop();
      }, stop.get_token());
      ASSERT_FALSE(stopped.ok()) << at;
      EXPECT_EQ(stopped.error().kind, ErrorKind::kStopped);
      second.judged = first.judged;
      const auto outcome = run(second, kept, [&](const TrainerStep& step) { got.push_back(step); });
      ASSERT_TRUE(outcome.ok()) << outcome.error().message;
      EXPECT_TRUE(at::equal(second.parameters()["w"], whole.parameters()["w"])) << at;
      EXPECT_EQ(outcome->best_step, uninterrupted->best_step);
      EXPECT_EQ(outcome->best_score, uninterrupted->best_score);
      EXPECT_EQ(outcome->best, uninterrupted->best);
      EXPECT_EQ(outcome->ended, uninterrupted->ended);
      ASSERT_EQ(got.size(), wanted.size()) << "each step once, stopped at " << at;
      for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].step, wanted[i].step);
        EXPECT_EQ(got[i].loss, wanted[i].loss);
        EXPECT_EQ(got[i].gradient, wanted[i].gradient);
        EXPECT_EQ(got[i].judged, wanted[i].judged);
      }
      std::filesystem::remove(kept.checkpoint);
    }
  }
}

TEST(Trainer, ThreadsChangeNoBit) {
  Toy one, two;
  TrainerOptions options = ten_steps();
  options.threads = 1;
  ASSERT_TRUE(run(one, options).ok());
  options.threads = 2;
  ASSERT_TRUE(run(two, options).ok());
  EXPECT_TRUE(at::equal(one.parameters()["w"], two.parameters()["w"]));
}

class TrainerCheckpoint : public testing::Test {
 protected:
  TrainerCheckpoint() {
    options_.checkpoint = dir_ / "checkpoint";
    Toy toy;
    std::stop_source stop;
    EXPECT_FALSE(run(toy, options_, [&](const TrainerStep& step) { if (step.step == 5) stop.request_stop(); },
                     stop.get_token()).ok());
    EXPECT_TRUE(std::filesystem::exists(options_.checkpoint));
  }
  // Refused, with these words; the file stays.
  void refused(const std::string& words) {
    Toy toy;
    const auto outcome = run(toy, options_);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kModel);
    EXPECT_THAT(outcome.error().message, HasSubstr(words));
    EXPECT_TRUE(std::filesystem::exists(options_.checkpoint));
    EXPECT_TRUE(at::equal(toy.parameters()["w"], Toy().parameters()["w"])) << "nothing was taken over";
  }

  const TempDir dir_;
  TrainerOptions options_ = ten_steps();
};

TEST_F(TrainerCheckpoint, OfOtherSettingsIsRefused) {
  options_.settings = "others";
  refused("it was begun with other settings or videos");
}

TEST_F(TrainerCheckpoint, ThatIsSomethingElseIsRefused) {
  ASSERT_TRUE(write_tensors(options_.checkpoint, TensorFile()).ok());
  refused("it is not a checkpoint of a training");
  std::ofstream(options_.checkpoint) << "hello";
  refused("");
}

TEST_F(TrainerCheckpoint, ThatLacksAnythingIsRefused) {
  const TensorFile whole = *read_tensors(options_.checkpoint);
  for (const auto& [name, tensor] : whole.tensors) {
    // Figures for people; moments, which a parameter that never had a gradient lacks as well.
    if (name.starts_with("progress.best.") || name.starts_with("adamw.first.")) continue;
    TensorFile file = whole;
    file.tensors.erase(name);
    ASSERT_TRUE(write_tensors(options_.checkpoint, file).ok());
    SCOPED_TRACE(name);
    refused("");
  }
}

TEST_F(TrainerCheckpoint, CutShortIsRefused) {
  std::filesystem::resize_file(options_.checkpoint, std::filesystem::file_size(options_.checkpoint) / 2);
  refused("");
}

}  // namespace
}  // namespace longtake
