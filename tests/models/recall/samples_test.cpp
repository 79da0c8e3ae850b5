#include "models/recall/samples.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

void offer(SampleState& state, int from, int to) {
  for (int i = from; i < to; ++i) offer_sample(state, std::vector<float>{static_cast<float>(i), 0.5F}, i / 25.0);
}

std::vector<std::byte> bytes_of(const SampleState& state) {
  TensorFile file;
  save_state(state, file);
  return serialize_tensors(file);
}

TEST(Samples, AreAllFramesWhileThereIsRoom) {
  SampleState state(2);
  offer(state, 0, kSamples);
  ASSERT_EQ(state.count(), kSamples);
  for (int i = 0; i < kSamples; ++i) EXPECT_EQ(state.sample(i)[0], static_cast<float>(i));
}

TEST(Samples, AreSpreadEvenlyOverAllThatWasWatched) {
  constexpr int kFrames = 20000;
  SampleState state(2);
  offer(state, 0, kFrames);
  double mean = 0;
  int first_half = 0;
  for (int i = 0; i < kSamples; ++i) {
    mean += state.sample(i)[0] / kSamples;
    first_half += state.sample(i)[0] < kFrames / 2 ? 1 : 0;
    EXPECT_FLOAT_EQ(static_cast<float>(state.at[static_cast<std::size_t>(i)] * 25), state.sample(i)[0]);
  }
  // Four standard deviations of uniform draws.
  EXPECT_NEAR(mean, kFrames / 2, 4 * kFrames / std::sqrt(12.0 * kSamples));
  EXPECT_NEAR(first_half, kSamples / 2, 4 * std::sqrt(kSamples) / 2);
}

TEST(Samples, ASplitStreamGivesTheBytesOfTheWholeAndTakesTheSameRoom) {
  SampleState whole(2), first(2);
  offer(whole, 0, 1000);
  offer(first, 0, 300);
  TensorFile file;
  save_state(first, file);
  auto second = load_samples(2, file);
  ASSERT_TRUE(second);
  offer(*second, 300, 1000);
  EXPECT_EQ(bytes_of(*second), bytes_of(whole));
  EXPECT_EQ(bytes_of(SampleState(2)).size(), bytes_of(whole).size());
}

TEST(Samples, AStateThatCannotBeIsRefused) {
  SampleState state(2);
  offer(state, 0, 10);
  TensorFile file;
  save_state(state, file);
  EXPECT_TRUE(load_samples(2, file));
  EXPECT_FALSE(load_samples(3, file));
  state.seen = -1;
  TensorFile wrong;
  save_state(state, wrong);
  EXPECT_FALSE(load_samples(2, wrong));
}

}  // namespace
}  // namespace longtake
