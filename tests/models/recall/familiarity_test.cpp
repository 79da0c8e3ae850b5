#include "models/recall/familiarity.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "models/fresh_weights.h"
#include "models/recall/familiarity_file.h"
#include "models/train/random.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

constexpr int kLatent = 4;
constexpr int kNumbers = kRecallTokens * kLatent;

RecallWeights small_weights() {
  RecallConfig config;
  config.keys = config.features = config.hidden = 24;
  auto weights = load_recall(config, kLatent, fresh_recall(config, kLatent, 1));
  EXPECT_TRUE(weights);
  return std::move(*weights);
}

std::vector<float> frame(std::uint64_t which) {
  Random random{0x6672616d65ULL, which};
  std::vector<float> out(kNumbers);
  for (float& number : out) number = static_cast<float>(random.normal());
  return out;
}

// A memory that watched frames 0 … frames − 1, one a second.
TensorFile watched(const RecallWeights& weights, std::uint64_t frames) {
  RecallMemory memory(weights);
  LandmarkBank bank(kNumbers, {});
  SampleState samples(kNumbers);
  bank.begin_source("a.mp4", {1, 1000}, 1);
  for (std::uint64_t i = 0; i < frames; ++i) {
    const auto x = frame(i);
    const auto t = static_cast<double>(i);
    const auto ordinal = static_cast<std::int64_t>(i);
    bank.watch({ordinal, ordinal * 1000, t, i == 0 ? 0.0 : 1.0}, x, memory.step(x).error, {});
    offer_sample(samples, x, t);
  }
  TensorFile file;
  save_state(memory.state(), file);
  save_state(bank.state(), file);
  save_state(samples, file);
  return file;
}

FamiliarityScale with_background() {
  FamiliarityScale scale;
  for (std::uint64_t i = 1000; i < 1010; ++i) {
    const auto x = frame(i);
    scale.background.insert(scale.background.end(), x.begin(), x.end());
  }
  scale.metric.assign(static_cast<std::size_t>(kLatent) * kLatent, 0);
  for (std::size_t i = 0; i < scale.metric.size(); i += kLatent + 1) scale.metric[i] = 1 + static_cast<float>(i);
  return scale;
}

TEST(FamiliarityScale, IsALogisticFunctionOfBothErrors) {
  FamiliarityScale scale;
  scale.weights = {-2, 1, 0.5};
  const Evidence evidence{std::exp(-1.0), std::exp(2.0)};
  EXPECT_NEAR(scale.odds(evidence), 2 + 2 + 0.5, 1e-12);
  EXPECT_NEAR(scale.familiarity(evidence), 1 / (1 + std::exp(-4.5)), 1e-12);
  EXPECT_TRUE(std::isfinite(scale.odds({0, 0})));
}

TEST(FamiliarityScale, AddsItsOwnNumberToSeveralFramesAlone) {
  FamiliarityScale scale;
  const double one = scale.odds({0.5, 1, 1}), more = scale.odds({0.5, 1, 2});
  EXPECT_EQ(more, one);
  scale.several = -2.5;
  EXPECT_EQ(scale.odds({0.5, 1, 1}), one);
  EXPECT_EQ(scale.odds({0.5, 1, 2}), one - 2.5);
  EXPECT_EQ(scale.odds({0.5, 1, 7}), one - 2.5);
}

TEST(FrozenMemory, KnowsWhatWasWatchedAndNothingElse) {
  const RecallWeights weights = small_weights();
  const FamiliarityScale scale = with_background();
  const TensorFile file = watched(weights, 12);
  auto memory = FrozenMemory::load(weights, scale, file);
  ASSERT_TRUE(memory) << memory.error().message;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const Evidence seen = memory->ask(frame(i)), unseen = memory->ask(frame(100 + i));
    EXPECT_LT(seen.error, 0.5 * seen.blank) << i;
    EXPECT_GT(scale.odds(seen), scale.odds(unseen)) << i;
    EXPECT_EQ(memory->percentile(seen), 100) << i;
    EXPECT_LT(memory->percentile(unseen), 100) << i;
  }
  ASSERT_EQ(memory->background().size(), 10U);
}

TEST(FrozenMemory, AskingLeavesItAsItIs) {
  const RecallWeights weights = small_weights();
  const FamiliarityScale scale;
  auto memory = FrozenMemory::load(weights, scale, watched(weights, 5));
  ASSERT_TRUE(memory);
  const auto before = memory->state().halves;
  const double first = memory->ask(frame(3)).error;
  for (std::uint64_t i = 0; i < 20; ++i) memory->ask(frame(50 + i));
  EXPECT_EQ(memory->ask(frame(3)).error, first);
  EXPECT_EQ(memory->state().halves, before);
  EXPECT_TRUE(std::isnan(memory->percentile({1, 1}))) << "nothing to rank it against";
}

TEST(FrozenMemory, AStateWithoutLandmarksIsRefused) {
  const RecallWeights weights = small_weights();
  const FamiliarityScale scale;
  TensorFile file = watched(weights, 3);
  file.tensors.erase("landmarks.t");
  EXPECT_FALSE(FrozenMemory::load(weights, scale, file));
}

TEST(Question, TakesFramesSecondBySecond) {
  const RecallWeights weights = small_weights();
  FamiliarityScale scale;
  scale.weights = {-8, 8, -4};  // seen: less than exp(-.5) of the error is left
  auto memory = FrozenMemory::load(weights, scale, watched(weights, 12));
  ASSERT_TRUE(memory);
  Question question(*memory);
  for (const double t : {0.0, 0.4, 0.99}) question.add(t, frame(100));
  for (const double t : {1.0, 1.5}) question.add(t, frame(7));
  question.add(2.2, frame(101));
  question.add(0.1, frame(8));  // another clip: time falls back
  const Answer answer = question.answer(3);
  EXPECT_EQ(answer.seconds, 4);
  EXPECT_EQ(answer.seen_seconds, 2);
  EXPECT_EQ(answer.seen_from, 1.0);
  EXPECT_EQ(answer.seen_to, 0.1);
  EXPECT_NEAR(answer.familiarity, 0.5, 0.1);
  EXPECT_NEAR(answer.confidence, std::max(answer.familiarity, 1 - answer.familiarity), 1e-12);
}

TEST(Question, TellsASecondFromAPicture) {
  const RecallWeights weights = small_weights();
  FamiliarityScale scale;
  scale.weights = {-8, 8, -4};
  auto memory = FrozenMemory::load(weights, scale, watched(weights, 12));
  ASSERT_TRUE(memory);
  for (const double several : {0.0, -100.0}) {
    scale.several = several;
    Question picture(*memory), second(*memory);
    picture.add(0, frame(7));
    for (const double t : {0.0, 0.2, 0.4}) second.add(t, frame(7));
    EXPECT_GT(picture.answer(1).familiarity, 0.5);
    EXPECT_EQ(second.answer(1).familiarity > 0.5, several == 0);
  }
}

// Changes of the kind that the metric was fitted to are no reason to mistake a moment.
TEST(Question, SaysWhenByTheMetricOfItsScale) {
  const RecallWeights weights = small_weights();
  const TensorFile file = watched(weights, 12);
  const auto moments_found = [&](const FamiliarityScale& scale) {
    auto memory = FrozenMemory::load(weights, scale, file);
    EXPECT_TRUE(memory);
    int right = 0;
    for (std::uint64_t i = 0; i < 12; ++i) {
      auto x = frame(i);
      Random random{0x7368616bULL, i};
      for (std::size_t j = 0; j < x.size(); j += kLatent) x[j] += 20 * static_cast<float>(random.normal());
      Question question(*memory);
      question.add(0, x);
      const Answer answer = question.answer(1);
      right += landmark(memory->landmarks(), answer.nearest.at(0).which).t == static_cast<double>(i) ? 1 : 0;
      EXPECT_TRUE(answer.nearest[0].score >= 0 && answer.nearest[0].score <= 1);
    }
    return right;
  };
  FamiliarityScale scale;
  EXPECT_LT(moments_found(scale), 8) << "or this test shows nothing";
  scale.metric.assign(static_cast<std::size_t>(kLatent) * kLatent, 0);
  for (std::size_t i = 0; i < kLatent; ++i) scale.metric[i * (kLatent + 1)] = i == 0 ? 1e-4F : 1;
  EXPECT_EQ(moments_found(scale), 12);
}

TEST(Question, SaysWhenAndNamesNoMomentTwice) {
  const RecallWeights weights = small_weights();
  const FamiliarityScale scale;
  auto memory = FrozenMemory::load(weights, scale, watched(weights, 12));
  ASSERT_TRUE(memory);
  for (std::uint64_t i = 0; i < 12; ++i) {
    Question question(*memory);
    question.add(0, frame(i));
    const Answer answer = question.answer(3);
    ASSERT_EQ(answer.nearest.size(), 3U);
    EXPECT_EQ(landmark(memory->landmarks(), answer.nearest[0].which).t, static_cast<double>(i));
    EXPECT_NEAR(answer.nearest[0].score, 1, 1e-6);
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = a + 1; b < 3; ++b) {
        EXPECT_GE(answer.nearest[a].score, answer.nearest[b].score);
        EXPECT_GT(std::abs(landmark(memory->landmarks(), answer.nearest[a].which).t -
                           landmark(memory->landmarks(), answer.nearest[b].which).t), 2);
      }
    }
  }
  Question nothing(*memory);
  EXPECT_THROW(nothing.answer(3), std::invalid_argument);
}

class FamiliarityFile : public ::testing::Test {
 protected:
  FamiliarityFile() {
    folder_.path = dir_.path();
    folder_.config.latent = kLatent;
    folder_.config.recall.emplace();
    write("config.json", to_json(folder_.config));
    for (const char* name : {"encoder.safetensors", "stack.safetensors", "recall.safetensors"}) write(name, name);
    EXPECT_TRUE(write_model_sums(dir_.path(), folder_.config));
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(dir_ / name, std::ios::binary) << text; }

  TempDir dir_;
  ModelFolder folder_;
};

TEST_F(FamiliarityFile, ComesBackAsItWasWrittenAndLeavesTheModelsIdAlone) {
  const auto before = open_model_folder(dir_.path());
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_FALSE(load_familiarity(folder_)->fitted);
  FamiliarityScale scale = with_background();
  scale.weights = {-3, 2, 0.25};
  scale.several = -1.5;
  ASSERT_TRUE(write_familiarity(folder_, scale));
  const auto back = load_familiarity(folder_);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->fitted);
  EXPECT_EQ(back->weights, scale.weights);
  EXPECT_EQ(back->several, scale.several);
  EXPECT_EQ(back->metric, scale.metric);
  ASSERT_EQ(back->background.size(), scale.background.size());
  for (std::size_t i = 0; i < scale.background.size(); ++i) {
    EXPECT_NEAR(back->background[i], scale.background[i], 1e-3 * (1 + std::abs(scale.background[i])));
  }
  const auto after = open_model_folder(dir_.path());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->sha256, before->sha256);
}

TEST_F(FamiliarityFile, AChangedFileIsRefused) {
  ASSERT_TRUE(write_familiarity(folder_, with_background()));
  std::ofstream(familiarity_file(dir_.path()), std::ios::app) << "x";
  const auto opened = open_model_folder(dir_.path());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("familiarity.safetensors is damaged"), std::string::npos) << opened.error().message;
  EXPECT_FALSE(load_familiarity(folder_));
}

// Well formed, with true sums, and yet not what was written.
TEST_F(FamiliarityFile, APartThatIsMissingOrMisshapenIsRefusedByName) {
  const auto refused = [&](const std::function<void(TensorFile&)>& damage) -> std::string {
    EXPECT_TRUE(write_familiarity(folder_, with_background()));
    auto file = read_tensors(familiarity_file(dir_.path()));
    EXPECT_TRUE(file);
    damage(*file);
    EXPECT_TRUE(write_tensors(familiarity_file(dir_.path()), *file));
    EXPECT_TRUE(write_model_sums(dir_.path(), folder_.config));
    const auto scale = load_familiarity(folder_);
    EXPECT_FALSE(scale);
    return scale ? "" : scale.error().message;
  };
  for (const char* part : {"odds", "odds.several", "background", "metric"}) {
    EXPECT_NE(refused([&](TensorFile& file) { file.tensors.erase(part); }).find(part), std::string::npos) << part;
  }
  const std::vector<float> few(9);
  const auto misshapen = refused([&](TensorFile& file) { file.tensors["metric"] = Tensor::of(std::span(few), {3, 3}); });
  EXPECT_NE(misshapen.find("metric"), std::string::npos) << misshapen;

  const double nan = std::nan("");
  std::vector<float> holed(static_cast<std::size_t>(kLatent) * kLatent);
  holed[5] = std::nanf("");
  for (const auto& damage : std::vector<std::function<void(TensorFile&)>>{
           [&](TensorFile& file) { file.tensors["odds.several"] = Tensor::of(std::span(&nan, 1), {1}); },
           [&](TensorFile& file) { file.tensors["metric"] = Tensor::of(std::span<const float>(holed), {kLatent, kLatent}); }}) {
    const auto message = refused(damage);
    EXPECT_NE(message.find("not finite"), std::string::npos) << message;
  }
}

TEST_F(FamiliarityFile, OfOtherWeightsCountsAsNone) {
  ASSERT_TRUE(write_familiarity(folder_, with_background()));
  write("recall.safetensors", "trained anew");
  const auto scale = load_familiarity(folder_);
  ASSERT_TRUE(scale);
  EXPECT_FALSE(scale->fitted);
  EXPECT_TRUE(scale->background.empty());
}

}  // namespace
}  // namespace longtake
