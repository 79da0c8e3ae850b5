#include "models/train/recall_streams.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

class RecallStreamsOnStills : public testing::Test {
 protected:
  RecallStreamsOnStills() : net_(small_net()) {
    // Nothing moves within a clip, so that a scene is one picture.
    for (int clip = 0; clip < 5; ++clip) {
      std::vector<float> picture(16 * 320);
      Random random{static_cast<std::uint64_t>(clip)};
      for (float& value : picture) value = static_cast<float>(random.normal());
      std::vector<std::int64_t> times;
      for (int i = 0; i < 20 + 10 * clip; ++i) times.push_back(100 * i);
      clips_.push_back(whole(made_features(dir_, std::to_string(clip), times, [&](std::int64_t, int i) {
        return picture[static_cast<std::size_t>(i)];
      })));
    }
    options_.rows = 4;
    options_.frames = 12;
    options_.windows = 5;
    options_.noise = 0;
  }
  RecallStreams streams() const {
    return RecallStreams([this](const Features& features, std::span<const std::int64_t> frames) {
      return net_.latents(frame_tokens(features, frames));
    }, clips_, options_);
  }

  const TempDir dir_;
  StackNet net_;
  std::vector<Clip> clips_;
  RecallStreamOptions options_;
};

TEST_F(RecallStreamsOnStills, ABatchIsAFunctionOfSeedAndStep) {
  options_.noise = 0.08;
  const RecallStreams one = streams(), other = streams();
  const RecallBatch seventh = one.batch(7, 0, 4), third = one.batch(3, 0, 4);
  EXPECT_TRUE(at::equal(other.batch(3, 0, 4).x, third.x));
  EXPECT_TRUE(at::equal(other.batch(7, 0, 4).x, seventh.x));
  EXPECT_TRUE(at::equal(other.batch(7, 0, 4).is_return, seventh.is_return));
  EXPECT_FALSE(at::equal(third.x, seventh.x));
  const RecallBatch part = one.batch(7, 1, 2);
  EXPECT_TRUE(at::equal(part.x, seventh.x.narrow(0, 1, 2)));
  EXPECT_TRUE(at::equal(part.is_new, seventh.is_new.narrow(0, 1, 2)));
  options_.seed = 2;
  EXPECT_FALSE(at::equal(streams().batch(3, 0, 4).x, third.x));
}

TEST_F(RecallStreamsOnStills, WhatReturnsIsTheSceneThatWas) {
  const RecallStreams all = streams();
  int returns = 0, news = 0, across = 0;
  for (std::int64_t row = 0; row < 4; ++row) {
    std::vector<at::Tensor> seen;  // scenes of the row's stream
    std::vector<std::int64_t> seen_in;
    at::Tensor now;
    bool begun = false;
    for (std::int64_t step = 0; step < 12; ++step) {
      const RecallBatch batch = all.batch(step, 0, 4);
      if (batch.fresh[row].item<bool>()) {
        seen.clear(), seen_in.clear();
        now = at::Tensor();
        begun = true;
        EXPECT_EQ(batch.is_new[row][0].item<float>(), 1) << "a stream begins with a scene";
      }
      if (!begun) continue;  // the row's first stream began before the training
      for (std::int64_t t = 0; t < options_.frames; ++t) {
        const at::Tensor x = batch.x[row][t];
        const auto same = [&](const at::Tensor& y) { return (x - y).abs().max().item<double>() < 1e-4; };
        const auto earlier = std::find_if(seen.begin(), seen.end(), same);
        const bool is_new = batch.is_new[row][t].item<float>() == 1, is_return = batch.is_return[row][t].item<float>() == 1;
        ASSERT_FALSE(is_new && is_return);
        if (is_new) {
          EXPECT_EQ(earlier, seen.end()) << "never seen";
          seen.push_back(x);
          seen_in.push_back(step);
          ++news;
        } else if (is_return) {
          ASSERT_NE(earlier, seen.end()) << "seen before";
          EXPECT_FALSE(same(now)) << "and left in between";
          across += seen_in[static_cast<std::size_t>(earlier - seen.begin())] < step;
          ++returns;
        } else {
          ASSERT_TRUE(now.defined());
          EXPECT_TRUE(same(now)) << "within a visit";
        }
        now = x;
      }
    }
  }
  EXPECT_GT(news, 20);
  EXPECT_GT(across, 5) << "from one window to another";
  // 60 % of the visits, but for the first two of a stream; 5 σ.
  EXPECT_NEAR(returns, 0.6 * (returns + news), 5 * std::sqrt(0.24 * (returns + news)) + 12);
}

TEST_F(RecallStreamsOnStills, VisitsAreAsLongAsAsked) {
  options_.shortest_visit = 2;
  options_.longest_visit = 3;
  options_.windows = 1;
  const RecallStreams all = streams();
  for (std::int64_t step = 0; step < 6; ++step) {
    const RecallBatch batch = all.batch(step, 0, 1);
    EXPECT_TRUE(batch.fresh[0].item<bool>());
    const at::Tensor starts = at::nonzero((batch.is_new + batch.is_return)[0]).flatten();
    for (std::int64_t i = 1; i < starts.size(0); ++i) {
      const auto length = (starts[i] - starts[i - 1]).item<std::int64_t>();
      EXPECT_TRUE(length == 2 || length == 3) << length;
    }
  }
}

TEST_F(RecallStreamsOnStills, NoiseIsAsLargeAsAsked) {
  const RecallBatch quiet = streams().batch(4, 0, 4);
  options_.noise = 0.08;
  const at::Tensor noise = streams().batch(4, 0, 4).x - quiet.x;
  const auto count = static_cast<double>(noise.numel());
  EXPECT_NEAR(noise.std().item<double>(), 0.08, 5 * 0.08 / std::sqrt(2 * count));
  EXPECT_NEAR(noise.mean().item<double>(), 0, 5 * 0.08 / std::sqrt(count));
}

TEST_F(RecallStreamsOnStills, ShowsNothingOutsideOfItsClips) {
  // Beyond their ends the clips are enormous.
  std::vector<std::int64_t> times;
  for (int i = 0; i < 60; ++i) times.push_back(100 * i);
  const auto features = made_features(dir_, "spoilt", times, [](std::int64_t frame, int i) {
    return frame >= 10 && frame < 40 ? 0.01F * static_cast<float>(i % 7) : 1000.0F;
  });
  clips_ = {{features, 10, 40}};
  const RecallStreams all = streams();
  for (std::int64_t step = 0; step < 5; ++step) EXPECT_LT(all.batch(step, 0, 4).x.abs().max().item<double>(), 10);
}

TEST_F(RecallStreamsOnStills, WithoutVideosThereAreNoStreams) {
  clips_ = {{clips_[0].features, 3, 4}};
  EXPECT_THROW((void)streams(), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
