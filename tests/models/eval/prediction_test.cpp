#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/eval/prediction_sums.h"
#include "models/train/next_latent.h"
#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

// 12.5 frames a second: of every frame one number, which all its token channels have.
Clip video(const TempDir& folder, const std::vector<float>& frames) {
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < frames.size(); ++i) times.push_back(static_cast<std::int64_t>(i) * 80);
  return whole(made_features(folder, "video", times,
                             [&](std::int64_t frame, int) { return frames[static_cast<std::size_t>(frame)]; }));
}

class WatchClip : public testing::Test {
 protected:
  WatchClip() {
    // Only the mean over 0.3 s counts.
    net_.parameters()["mean_weights"] = at::tensor({0.5F, 0.0F, 0.0F}).expand({3, 3}).contiguous();
  }
  std::vector<WatchedFrame> watch(const std::vector<float>& frames, double fps = 12.5) {
    std::vector<WatchedFrame> out;
    watch_clip(net_, video(folder_, frames), fps, [&](const WatchedFrame& frame) { out.push_back(frame); });
    return out;
  }

  TempDir folder_;
  StackNet net_ = channel_net();
};

constexpr double kRounding =
    1e-5;  // floats of size 1 through a dozen operations, and halves that hold these numbers exactly

TEST_F(WatchClip, AConstantVideoIsForeseenByAll) {
  const auto got = watch(std::vector<float>(40, 1.5F));
  ASSERT_EQ(got.size(), 40U);
  PredictionSums sums(3);
  for (const WatchedFrame& frame : got) {
    for (const HorizonError& error : frame.horizons) {
      EXPECT_NEAR(error.stack, 0, kRounding);
      EXPECT_NEAR(error.running_means, 0, kRounding);
      EXPECT_EQ(error.persistence, 0);
    }
    sums.add(frame);
  }
  EXPECT_EQ(sums.frames(), 40);
  EXPECT_EQ(sums.by_horizon()[1].persistence, 0);
  EXPECT_TRUE(sums.by_context().empty()) << "persistence makes no error to compare with";
}

// Frames 0 1 0 1 …: half a second's neighbours are always 1 apart, the mean is worked out here.
TEST_F(WatchClip, ErrorsAreThoseWorkedOutByHand) {
  std::vector<float> frames;
  for (int i = 0; i < 100; ++i) frames.push_back(static_cast<float>(i % 2));
  const double offset = 0.25;
  net_.parameters()["head.bias"].fill_(offset);
  const auto got = watch(frames);
  ASSERT_EQ(got.size(), 100U) << "more than one window";
  double mean = 0;
  for (int n = 0; n < 100; ++n) {
    const double x = n % 2, k = std::max(1 - std::exp(-0.08 / 0.3), 1.0 / (n + 1));
    mean += k * (x - mean);
    const WatchedFrame& frame = got[static_cast<std::size_t>(n)];
    EXPECT_EQ(frame.seen, n + 1);
    EXPECT_NEAR(frame.seconds, n * 0.08, 1e-9);
    ASSERT_EQ(frame.before.size(), 1U);
    EXPECT_GE(frame.before[0], 0);
    const int ahead[] = {1, 5, 13};
    for (std::size_t h = 0; h < 3; ++h) {
      const HorizonError& error = frame.horizons[h];
      // At the end of the video its last frame stands for those up to half a horizon later.
      const int there = std::min(n + ahead[h], 99);
      EXPECT_EQ(error.known, there > n && 2 * (n + ahead[h] - there) <= ahead[h]) << n << " " << h;
      if (!error.known) continue;
      const double target = there % 2, drawn = x + 0.5 * (mean - x);
      EXPECT_NEAR(error.persistence, (target - x) * (target - x), kRounding) << n << " " << h;
      EXPECT_NEAR(error.running_means, (target - drawn) * (target - drawn), kRounding) << n << " " << h;
      EXPECT_NEAR(error.stack, std::pow(target - drawn - offset, 2), kRounding) << n << " " << h;
    }
  }
}

TEST_F(WatchClip, FewerFramesASecondLookAtTheSameTargets) {
  std::vector<float> frames;
  for (int i = 0; i < 50; ++i) frames.push_back(static_cast<float>(i));
  const auto got = watch(frames, 12.5 / 5);
  ASSERT_EQ(got.size(), 10U);
  EXPECT_NEAR(got[3].seconds, 15 * 0.08, 1e-9);
  EXPECT_NEAR(got[3].horizons[0].persistence, 1, kRounding) << "one frame ahead of the video, not of those shown";
  EXPECT_NEAR(got[3].horizons[1].persistence, 25, kRounding);
}

WatchedFrame frame(std::int64_t seen, double stack, double means, double persistence, bool known = true) {
  WatchedFrame out;
  out.seen = seen;
  out.horizons = {{known, stack, means, persistence}};
  return out;
}

TEST(PredictionSums, BucketsOfContextAndRatiosOfSums) {
  PredictionSums sums(1);
  sums.add(frame(1, 1, 2, 4));
  sums.add(frame(2, 1, 1, 2));
  sums.add(frame(3, 2, 1, 4));
  sums.add(frame(4, 9, 9, 9, false));  // nothing to foresee there
  sums.add(frame(1, 3, 2, 4));         // the next clip
  const auto context = sums.by_context();
  ASSERT_EQ(context.size(), 2U);
  EXPECT_EQ(context.at(1).clips, 2);
  EXPECT_EQ(context.at(1).ratio.stack, 4.0 / 8);
  EXPECT_EQ(context.at(1).ratio.running_means, 4.0 / 8);
  EXPECT_EQ(context.at(1).ratio.persistence, 1);
  EXPECT_EQ(context.at(2).clips, 1);
  EXPECT_EQ(context.at(2).ratio.stack, 3.0 / 6);
  EXPECT_EQ(context.at(2).ratio.running_means, 2.0 / 6);
  EXPECT_EQ(sums.by_horizon()[0].stack, 7.0 / 4);
  EXPECT_EQ(sums.by_horizon()[0].persistence, 14.0 / 4);
  EXPECT_EQ(sums.frames(), 5);
  PredictionSums one(1), other(1);
  one.add(frame(1, 1, 2, 4));
  one.add(frame(2, 1, 1, 2));
  other.add(frame(1, 3, 2, 4));
  one.add(other);
  EXPECT_EQ(one.by_context().at(1).ratio.stack, 4.0 / 8) << "clips that were added up apart";
  EXPECT_EQ(one.by_context().at(1).clips, 2);
  EXPECT_EQ(one.by_horizon()[0].stack, 5.0 / 3);
  EXPECT_TRUE(std::isnan(PredictionSums(1).by_horizon()[0].stack));
}

}  // namespace
}  // namespace longtake
