#include "models/baselines/frame_memories.h"

#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/fresh_weights.h"

namespace longtake {
namespace {

constexpr std::int64_t kLatent = 3;

// A frame whose tokens are `even` where row + column is even, and `odd` elsewhere.
at::Tensor board(double even, double odd) {
  at::Tensor x = at::zeros({16, kLatent});
  for (std::int64_t token = 0; token < 16; ++token) x[token].fill_((token / 4 + token % 4) % 2 == 0 ? even : odd);
  return x;
}
at::Tensor plain(double value) { return board(value, value); }

// What a memory fills a frame in with, one number for each half.
std::vector<double> answer(const FrameMemory& memory, const at::Tensor& x) {
  const at::Tensor read = memory.read(x);
  EXPECT_EQ(read.sizes(), x.sizes());
  const double even = read[0][0].item<double>(), odd = read[1][0].item<double>();
  EXPECT_TRUE(at::allclose(read, board(even, odd)));
  return {even, odd};
}
using Halves = std::vector<double>;

class EveryMemory : public testing::TestWithParam<std::string> {};
std::string as_test_name(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Name, EveryMemory, testing::ValuesIn(frame_memory_names()), as_test_name);

TEST_P(EveryMemory, AnswersNothingBeforeTheFirstFrame) {
  EXPECT_EQ(answer(*make_frame_memory(GetParam()), plain(7)), (Halves{0, 0}));
}

TEST_P(EveryMemory, FillsInTheOneFrameItHasSeen) {
  const auto memory = make_frame_memory(GetParam());
  memory->write(board(1, 2));
  EXPECT_EQ(answer(*memory, board(1, 2)), (Halves{1, 2}));
}

TEST_P(EveryMemory, ACopyGoesItsOwnWay) {
  at::manual_seed(1);
  FrameMemoryOptions options;
  options.slots = 2;
  const auto memory = make_frame_memory(GetParam(), options);
  for (int i = 0; i < 3; ++i) memory->write(at::randn({16, kLatent}));
  const at::Tensor x = at::randn({16, kLatent}), before = memory->read(x).clone();
  const auto copy = memory->copy();
  EXPECT_TRUE(at::equal(copy->read(x), before));
  for (int i = 0; i < 4; ++i) copy->write(x);
  EXPECT_TRUE(at::equal(memory->read(x), before));
  const at::Tensor after = copy->read(x).clone();
  EXPECT_FALSE(at::equal(after, before));
  for (int i = 0; i < 4; ++i) memory->write(-x);
  EXPECT_TRUE(at::equal(copy->read(x), after));
}

TEST_P(EveryMemory, ReadingLeavesNoTrace) {
  at::manual_seed(2);
  const auto memory = make_frame_memory(GetParam());
  for (int i = 0; i < 5; ++i) memory->write(at::randn({16, kLatent}));
  const at::Tensor x = at::randn({16, kLatent}), before = memory->read(x).clone();
  for (int i = 0; i < 5; ++i) memory->read(at::randn({16, kLatent}));
  EXPECT_TRUE(at::equal(memory->read(x), before));
}

TEST(RunningMean, IsTheMeanUntilItStandsForSoManyFrames) {
  FrameMemoryOptions options;
  options.mean_frames = 3;
  const auto memory = make_frame_memory("running-mean", options);
  memory->write(plain(3));
  memory->write(plain(6));
  EXPECT_EQ(answer(*memory, plain(0))[0], 4.5);
  memory->write(plain(0));
  EXPECT_EQ(answer(*memory, plain(0))[0], 3);
  memory->write(plain(9));  // 3 + (9 − 3) / 3
  EXPECT_EQ(answer(*memory, plain(0))[0], 5);
}

TEST(Persistence, IsTheLastFrame) {
  const auto memory = make_frame_memory("persistence");
  memory->write(plain(3));
  memory->write(board(5, 6));
  EXPECT_EQ(answer(*memory, plain(3)), (Halves{5, 6}));
}

TEST(Knn, GoesByTheHalfInViewAlone) {
  const auto memory = make_frame_memory("knn");
  memory->write(board(5, 0));
  memory->write(board(-5, 10));
  // In view for the even tokens: 1, which is nearest to 0. For the odd ones: −4, which is nearest to −5.
  EXPECT_EQ(answer(*memory, board(-4, 1)), (Halves{5, 10}));
}

TEST(Knn, FindsTheNearestOfThousands) {
  at::manual_seed(3);
  const auto memory = make_frame_memory("knn");
  std::vector<at::Tensor> frames;
  // All alike but for the last digits, where |a|² − 2 a·b + |b|² in floats would know no difference.
  for (int i = 0; i < 2000; ++i) {
    frames.push_back(1000 + 1e-2 * at::randn({16, kLatent}));
    memory->write(frames.back());
  }
  EXPECT_EQ(memory->state_bytes(), 2000U * 16 * kLatent * sizeof(float));
  for (int n = 0; n < 20; ++n) {
    const at::Tensor x = 1000 + 1e-2 * at::randn({16, kLatent});
    const at::Tensor got = memory->read(x);
    for (int half = 0; half < 2; ++half) {
      double least = 1e300;
      std::size_t nearest = 0;
      for (std::size_t i = 0; i < frames.size(); ++i) {
        double sum = 0;
        for (std::int64_t token = 0; token < 16; ++token) {
          if ((token / 4 + token % 4) % 2 == half) continue;  // hidden
          for (std::int64_t c = 0; c < kLatent; ++c) {
            const std::int64_t at = token * kLatent + c;
            const double d = double(frames[i].data_ptr<float>()[at]) - double(x.data_ptr<float>()[at]);
            sum += d * d;
          }
        }
        if (sum < least) least = sum, nearest = i;
      }
      const at::Tensor hidden = at::tensor(recall_hidden_tokens(half));
      EXPECT_TRUE(at::equal(got.index_select(0, hidden), frames[nearest].index_select(0, hidden)));
    }
  }
}

std::unique_ptr<FrameMemory> two_slots(const std::string& name) {
  FrameMemoryOptions options;
  options.slots = 2;
  return make_frame_memory(name, options);
}

TEST(Slots, TheOneLongestUnusedIsWrittenOver) {
  const auto memory = two_slots("slots-lru");
  memory->write(plain(0));
  memory->write(plain(10));
  memory->write(plain(1));  // nearest: 0, so 10 goes
  EXPECT_EQ(answer(*memory, plain(10))[0], 1);
  EXPECT_EQ(answer(*memory, plain(0))[0], 0);
  const std::size_t bytes = memory->state_bytes();
  for (int i = 0; i < 50; ++i) memory->write(plain(i));
  EXPECT_EQ(memory->state_bytes(), bytes);
}

TEST(Slots, TheTwoNearestBecomeTheirMean) {
  const auto memory = two_slots("slots-merge");
  memory->write(plain(0));
  memory->write(plain(10));
  memory->write(plain(12));  // nearest pair: 10 and 12
  EXPECT_EQ(answer(*memory, plain(12))[0], 11);
  EXPECT_EQ(answer(*memory, plain(0))[0], 0);
  memory->write(plain(17));  // 11 stands for two frames: (2 · 11 + 17) / 3
  EXPECT_NEAR(answer(*memory, plain(17))[0], 13, 1e-5);
  memory->write(plain(100));  // nearest pair: 0 and 13, of one and three frames
  EXPECT_NEAR(answer(*memory, plain(0))[0], 9.75, 1e-5);
  EXPECT_EQ(answer(*memory, plain(90))[0], 100);
  memory->write(plain(101));
  EXPECT_NEAR(answer(*memory, plain(90))[0], 100.5, 1e-4);
}

TEST(Slots, WhatIsKnownIsNotWritten) {
  const auto memory = two_slots("slots-abstain");
  memory->write(plain(0));
  memory->write(plain(10));
  memory->write(plain(0.7));  // differs from 0 by 0.49 a number
  EXPECT_EQ(answer(*memory, plain(10))[0], 10);
  EXPECT_EQ(answer(*memory, plain(0.7))[0], 0);
  memory->write(plain(20));  // 10 was not the nearest of any frame since
  EXPECT_EQ(answer(*memory, plain(10))[0], 0);
  EXPECT_EQ(answer(*memory, plain(20))[0], 20);
}

TEST(FrameMemories, WhatMakesNoSenseIsRefused) {
  EXPECT_THROW(make_frame_memory("elephant"), std::invalid_argument);
  FrameMemoryOptions options;
  options.slots = 1;
  EXPECT_THROW(make_frame_memory("slots-lru", options), std::invalid_argument);
}

TEST(RecallFrameMemory, IsTheNetFrameByFrame) {
  at::manual_seed(4);
  RecallConfig config;
  config.keys = 8;
  config.features = 12;
  const auto net =
      std::make_shared<const RecallNet>(*RecallNet::load(config, kLatent, fresh_recall(config, kLatent, 1)));
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::randn({1, 6, 16, kLatent});
  const at::Tensor want = net->forward(x, {}, at::ones({1, 6})).predictions[0];
  const auto memory = recall_frame_memory(net);
  for (std::int64_t t = 0; t < 6; ++t) {
    EXPECT_TRUE(at::allclose(memory->read(x[0][t]), want[t], 1e-5, 1e-6)) << t;
    if (t == 3) memory->copy()->write(at::randn({16, kLatent}));
    memory->write(x[0][t]);
  }
  EXPECT_EQ(memory->state_bytes(), net->state_bytes());
}

}  // namespace
}  // namespace longtake
