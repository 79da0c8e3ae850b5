// Every kind of layer and every rule goes through the training that users start.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/signals/observation.h"
#include "core/store/half.h"
#include "models/fresh_weights.h"
#include "models/train/random.h"
#include "models/train/recall_training.h"
#include "models/train/stack_training.h"
#include "models/train/trainer.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

constexpr int kLatent = 8;

// A minute at one frame a second, in the format of features.cpp: tokens that wander, and nothing else.
std::shared_ptr<const Features> wandering(const std::filesystem::path& file, std::uint64_t seed) {
  constexpr std::int64_t kFrames = 60;
  std::ofstream out(file, std::ios::binary);
  const auto put = [&](const auto& value) { out.write(reinterpret_cast<const char*>(&value), sizeof value); };
  out.write("LTFEAT01", 8);
  for (const std::uint32_t size : {std::uint32_t(Features::kTokenNumbers), std::uint32_t(Encoder::kEmbedding),
                                   std::uint32_t(sizeof(Thumbnail)), 0U}) {
    put(size);
  }
  put(std::int64_t(1));  // seconds a pts
  put(std::int64_t(1));
  Random random{seed};
  std::vector<double> tokens(Features::kTokenNumbers);
  const std::vector<char> rest(Encoder::kEmbedding * sizeof(std::uint16_t) + sizeof(Thumbnail));
  for (std::int64_t frame = 0; frame < kFrames; ++frame) {
    put(frame);
    for (double& token : tokens) {
      token = 0.9 * token + 0.4 * random.normal();
      put(float_to_half(static_cast<float>(token)));
    }
    out.write(rest.data(), static_cast<std::streamsize>(rest.size()));
  }
  out.close();
  auto features = Features::open(file, file.filename().string());
  if (!features) throw std::runtime_error(features.error().message);
  return *features;
}

TEST(TrainingTest, TheFixtureIsRead) {
  const TempDir folder;
  const auto features = wandering(folder / "a", 1);
  EXPECT_EQ(features->frames(), 60);
  EXPECT_EQ(features->seconds(59), 59);
}

class Trained : public testing::TestWithParam<std::string> {
 protected:
  static const Split& split() {
    static const TempDir folder;
    static const Split split{{whole(wandering(folder / "train", 1))}, {whole(wandering(folder / "judge", 2))}};
    return split;
  }
  static TrainerOptions three_steps() {
    TrainerOptions how;
    how.steps = 3;
    how.rate = 1e-3;
    how.judge_every = 3;
    return how;
  }
  // Trains, and sees that all went well and that something was learned. A trainee of the same kind then goes on with what
  // the streams carry. Gives the number of steps taken.
  static int run(Trainee& trainee, Trainee& other) {
    definition::Parameters before;
    for (const auto& [name, parameter] : trainee.parameters()) before[name] = parameter.detach().clone();
    int steps = 0;
    bool changed = false;
    const auto outcome = train(trainee, three_steps(),
                               [&](const TrainerStep& step) {
                                 steps = static_cast<int>(step.step);
                                 EXPECT_TRUE(std::isfinite(step.loss));
                                 for (const auto& [name, parameter] : trainee.parameters())
                                   changed |= !at::equal(parameter, before[name]);
                               },
                               {});
    EXPECT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(changed);

    TensorFile carried;
    trainee.save(carried);
    EXPECT_TRUE(other.load(carried));
    const at::NoGradGuard no_grad;
    for (auto& [name, parameter] : other.parameters()) parameter.copy_(trainee.parameters().at(name));
    Figures parts;
    for (int shard = 0; shard < trainee.shards(); ++shard) {
      EXPECT_EQ(trainee.loss(3, shard, trainee.parameters(), parts).item<double>(),
                other.loss(3, shard, other.parameters(), parts).item<double>());
    }
    return steps;
  }
};
std::string as_test_name(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class TrainedStack : public Trained {};
INSTANTIATE_TEST_SUITE_P(Inner, TrainedStack, testing::ValuesIn(inner_names()), as_test_name);

TEST_P(TrainedStack, TakesThreeStepsAndGoesOn) {
  ModelConfig config;
  config.inner = GetParam();
  config.window_frames = 4;
  config.latent = kLatent;
  config.channels = 16;
  config.swiglu = 24;
  config.layers = 2;
  config.horizons_s = {1, 2};
  const std::vector<float> mean(320, 0.0F), scale(320, 1.0F);
  const TensorFile start = fresh_stack(config, 3, mean, scale);
  StackNet net = *StackNet::load(config, start), again = *StackNet::load(config, start);
  StackTrainingOptions options;
  options.shards = 2;
  options.streams.rows = 4;
  options.streams.frames = 5;
  options.streams.windows = 2;
  options.streams.fps = {1};
  StackTraining training(net, split(), options), other(again, split(), options);
  EXPECT_EQ(run(training, other), 3);
}

class TrainedRecall : public Trained {};
INSTANTIATE_TEST_SUITE_P(Rule, TrainedRecall, testing::ValuesIn(recall_rule_names()), as_test_name);

TEST_P(TrainedRecall, TakesThreeStepsAndGoesOn) {
  RecallConfig config = recall_config_of(GetParam());
  config.keys = 8;
  config.hidden = 6;
  config.features = 12;
  config.window = 3;
  const TensorFile start = fresh_recall(config, kLatent, 3);
  RecallNet net = *RecallNet::load(config, kLatent, start), again = *RecallNet::load(config, kLatent, start);
  const LatentsOf latents = [](const Features& features, std::span<const std::int64_t> frames) {
    return frame_tokens(features, frames).narrow(2, 0, kLatent).contiguous();
  };
  RecallTrainingOptions options;
  options.shards = 2;
  options.streams.rows = 4;
  options.streams.frames = 5;
  options.streams.windows = 2;
  options.judged_windows = 2;
  RecallTraining training(net, latents, split(), options), other(again, latents, split(), options);
  EXPECT_EQ(run(training, other), 3);
}

}  // namespace
}  // namespace longtake
