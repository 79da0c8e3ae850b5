#include "models/train/head_share.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/train/next_latent.h"
#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

constexpr int kFrames = 60, kLatent = 4;
constexpr int kAhead[] = {1, 5, 13};  // frames to each horizon, at 12.5 a second
constexpr double kRounding = 1e-5;

// Frame n shows n everywhere: the future is so many larger. Running means count for nothing, and the head is its bias.
class HeadShares : public testing::Test {
 protected:
  HeadShares() {
    net_.parameters()["mean_weights"].zero_();
    std::vector<std::int64_t> times;
    for (int i = 0; i < kFrames; ++i) times.push_back(i * 80);
    clip_ = whole(made_features(folder_, "ramp", times, [](std::int64_t frame, int) { return static_cast<float>(frame); }));
  }
  void set_head(const std::vector<float>& added) {
    net_.parameters()["head.bias"] = at::tensor(added).view({3, 1}).expand({3, kLatent}).reshape({3 * kLatent});
  }
  // Changes over horizon h, at all frames that have such a future (the last frame stands in for half a horizon).
  static std::vector<double> changes(int h) {
    std::vector<double> out;
    for (int n = 0; n < kFrames - 1; ++n) {
      const int there = std::min(n + kAhead[h], kFrames - 1);
      if (2 * (n + kAhead[h] - there) <= kAhead[h]) out.push_back(there - n);
    }
    return out;
  }

  TempDir folder_;
  StackNet net_ = channel_net();
  Clip clip_;
};

TEST_F(HeadShares, AreThoseOfLeastSquares) {
  const std::vector<float> added{4, 40, 26};
  set_head(added);
  for (const int threads : {1, 2}) {
    const auto got = fit_head_shares(net_, {clip_, clip_}, 12.5, threads);
    ASSERT_EQ(got.size(), 3U);
    for (int h = 0; h < 3; ++h) {
      double along = 0, persistence = 0;
      for (const double change : changes(h)) along += change, persistence += change * change;
      const double share = along / static_cast<double>(changes(h).size()) / added[static_cast<std::size_t>(h)];
      double left = 0;
      for (const double change : changes(h)) left += std::pow(change - share * added[static_cast<std::size_t>(h)], 2);
      const HeadShare& one = got[static_cast<std::size_t>(h)];
      EXPECT_EQ(one.seconds, net_.config().horizons_s[static_cast<std::size_t>(h)]);
      EXPECT_NEAR(one.share, share, kRounding);
      EXPECT_NEAR(one.error, left / persistence, kRounding);
    }
  }
}

TEST_F(HeadShares, NoMoreThanAllOfItAndNothingOfWhatPointsTheWrongWay) {
  set_head({0.5, -3, 0});
  const auto got = fit_head_shares(net_, {clip_}, 12.5, 1);
  EXPECT_EQ(got[0].share, 1);
  EXPECT_NEAR(got[0].error, 0.25, kRounding) << "0.5 of 1 is left";
  EXPECT_EQ(got[1].share, 0);
  EXPECT_NEAR(got[1].error, 1, kRounding);
  EXPECT_EQ(got[2].share, 1) << "nothing was added: nothing to take away";
}

TEST_F(HeadShares, ThatAreTakenMakeTheErrorThatWasSaid) {
  net_.parameters()["head.weight"] = at::randn(net_.parameters().at("head.weight").sizes());
  set_head({4, 40, -1});
  const auto shares = fit_head_shares(net_, {clip_}, 12.5, 1);
  take_head_shares(net_, shares);
  std::vector<double> stack(3), persistence(3);
  watch_clip(net_, clip_, 12.5, [&](const WatchedFrame& frame) {
    for (std::size_t h = 0; h < 3; ++h) stack[h] += frame.horizons[h].stack, persistence[h] += frame.horizons[h].persistence;
  });
  for (std::size_t h = 0; h < 3; ++h) EXPECT_NEAR(stack[h] / persistence[h], shares[h].error, 1e-4) << h;
  for (const HeadShare& again : fit_head_shares(net_, {clip_}, 12.5, 1)) {
    EXPECT_TRUE(again.share > 0.999) << "what is left is worth having";
  }
}

}  // namespace
}  // namespace longtake
