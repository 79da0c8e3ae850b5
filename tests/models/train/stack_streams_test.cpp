#include "models/train/stack_streams.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

// Finds the frame that a latent frame was made from.
class Album {
 public:
  struct Entry {
    const Features* features = nullptr;
    std::int64_t frame = -1;
    bool operator==(const Entry&) const = default;
  };
  void add(const StackNet& net, const std::shared_ptr<const Features>& features) {
    for (std::int64_t frame = 0; frame < features->frames(); ++frame) {
      entries_.push_back({features.get(), frame});
      const at::Tensor picture = net.latents(frame_tokens(*features, std::array{frame})).flatten(1);
      pictures_ = pictures_.defined() ? at::cat({pictures_, picture}) : picture;
    }
  }
  Entry find(const at::Tensor& picture) const {
    const at::Tensor off = (pictures_ - picture.flatten()).abs().amax(1);
    const auto best = off.argmin().item<std::int64_t>();
    // Products of another shape may be rounded otherwise.
    return off[best].item<double>() < 1e-4 ? entries_[static_cast<std::size_t>(best)] : Entry();
  }

 private:
  std::vector<Entry> entries_;
  at::Tensor pictures_;  // [entries][tokens · latent]
};

class StackStreamsOnNoise : public testing::Test {
 protected:
  StackStreamsOnNoise() : net_(small_net()) {
    clips_.push_back({noise_features(dir_, "a", 90, 10, 1), 0, 80});
    clips_.push_back({noise_features(dir_, "b", 40, 10, 2), 10, 40});
    clips_.push_back({noise_features(dir_, "slow", 12, 3, 3), 0, 12});
    for (const Clip& clip : clips_) album_.add(net_, clip.features);
    options_.rows = 4;
    options_.frames = 9;
    options_.windows = 3;
    options_.fps = {5};
    options_.scene_shift = 0;
  }
  const Clip& clip_of(const Features* features) const {
    for (const Clip& clip : clips_) {
      if (clip.features.get() == features) return clip;
    }
    throw std::logic_error("no such clip");
  }
  static bool same(const StackBatch& a, const StackBatch& b) {
    return at::equal(a.x, b.x) && at::equal(a.dt, b.dt) && at::equal(a.targets, b.targets) &&
           at::equal(a.has_target, b.has_target) && at::equal(a.fresh, b.fresh);
  }

  const TempDir dir_;
  StackNet net_;
  std::vector<Clip> clips_;
  Album album_;
  StackStreamOptions options_;
};

TEST_F(StackStreamsOnNoise, ABatchIsAFunctionOfSeedAndStep) {
  options_.scene_shift = 0.5;
  const StackStreams streams(net_, clips_, options_), again(net_, clips_, options_);
  const StackBatch seventh = streams.batch(7, 0, 4), third = streams.batch(3, 0, 4);
  EXPECT_TRUE(same(again.batch(3, 0, 4), third));
  EXPECT_TRUE(same(again.batch(7, 0, 4), seventh));
  EXPECT_FALSE(at::equal(third.x, seventh.x));
  EXPECT_EQ(streams.persistence(), again.persistence());
  options_.seed = 2;
  EXPECT_FALSE(at::equal(StackStreams(net_, clips_, options_).batch(3, 0, 4).x, third.x));
}

TEST_F(StackStreamsOnNoise, RowsOfAPartAreThoseOfTheWhole) {
  options_.scene_shift = 0.5;
  const StackStreams streams(net_, clips_, options_);
  const StackBatch all = streams.batch(5, 0, 4), part = streams.batch(5, 2, 2);
  EXPECT_LE((all.x.narrow(0, 2, 2) - part.x).abs().max().item<double>(), 1e-5);
  EXPECT_LE((all.targets.narrow(1, 2, 2) - part.targets).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(at::equal(all.dt.narrow(0, 2, 2), part.dt));
  EXPECT_TRUE(at::equal(all.fresh.narrow(0, 2, 2), part.fresh));
}

TEST_F(StackStreamsOnNoise, WindowsFollowOneAnother) {
  const StackStreams streams(net_, clips_, options_);
  int followed = 0, cuts = 0;
  for (std::int64_t row = 0; row < 4; ++row) {
    Album::Entry before;
    bool begun = false;
    for (std::int64_t step = 0; step < 9; ++step) {
      const StackBatch batch = streams.batch(step, 0, 4);
      if (batch.fresh[row].item<bool>()) {
        before = {};
        begun = true;
        EXPECT_EQ(batch.dt[row][0].item<float>(), 0);
      }
      if (!begun) continue;  // the row's first stream began before the training
      for (std::int64_t t = 0; t < options_.frames; ++t) {
        const Album::Entry now = album_.find(batch.x[row][t]);
        ASSERT_NE(now.features, nullptr) << "a frame of the clips";
        const Clip& clip = clip_of(now.features);
        ASSERT_TRUE(now.frame >= clip.first && now.frame < clip.end) << "what is held out is not shown";
        const double dt = batch.dt[row][t].item<double>();
        if (before.features != nullptr) {
          const double passed = now.features == before.features
                                    ? now.features->seconds(now.frame) - now.features->seconds(before.frame)
                                    : -1;
          if (std::abs(passed - dt) < 1e-6) {
            // The next frame at 5 fps; videos of 10 and of 3 fps.
            EXPECT_EQ(now.frame - before.frame, clip.features->name() == "slow" ? 1 : 2);
            ++followed;
          } else {
            EXPECT_NEAR(dt, 0.2, 1e-6) << "where a clip ends";
            EXPECT_GE(before.frame, clip_of(before.features).end - 3) << "and nowhere else";
            ++cuts;
          }
        }
        before = now;
      }
    }
  }
  EXPECT_GT(followed, 200);
  EXPECT_GE(cuts, 3);
}

TEST_F(StackStreamsOnNoise, TargetsAreTheFramesOfTheirTime) {
  const StackStreams streams(net_, clips_, options_);
  const auto& horizons = net_.config().horizons_s;
  int found = 0, missing = 0;
  for (std::int64_t step = 0; step < 4; ++step) {
    const StackBatch batch = streams.batch(step, 0, 4);
    for (std::int64_t row = 0; row < 4; ++row) {
      for (std::int64_t t = 0; t < options_.frames; ++t) {
        const Album::Entry now = album_.find(batch.x[row][t]);
        const Clip& clip = clip_of(now.features);
        for (std::size_t h = 0; h < horizons.size(); ++h) {
          // The nearest frame of the video, by looking at all of them; what lies behind the clip's end is not shown.
          const double wanted = now.features->seconds(now.frame) + horizons[h];
          std::int64_t nearest = now.frame;
          for (std::int64_t f = now.frame + 1; f < now.features->frames(); ++f) {
            if (std::abs(now.features->seconds(f) - wanted) < std::abs(now.features->seconds(nearest) - wanted) - 1e-9) nearest = f;
          }
          const bool there = nearest > now.frame && nearest < clip.end &&
                             std::abs(now.features->seconds(nearest) - wanted) <= horizons[h] / 2 + 1e-9;
          const auto horizon = static_cast<std::int64_t>(h);
          ASSERT_EQ(batch.has_target[horizon][row][t].item<float>(), there ? 1.0F : 0.0F) << now.frame << " " << horizons[h];
          if (!there) {
            ++missing;
            continue;
          }
          const Album::Entry target = album_.find(batch.targets[horizon][row][t]);
          EXPECT_EQ(target, (Album::Entry{now.features, nearest}));
          ++found;
        }
      }
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(missing, 10);
}

TEST_F(StackStreamsOnNoise, AShiftMovesInputsAndTargetsAlike) {
  const StackStreams plain(net_, clips_, options_);
  options_.scene_shift = 1;
  const StackStreams shifted(net_, clips_, options_);
  for (std::int64_t step = 0; step < 3; ++step) {
    const StackBatch a = plain.batch(step, 0, 4), b = shifted.batch(step, 0, 4);
    const at::Tensor shift = (b.x - a.x).select(1, 0);  // [B][tokens][latent]
    EXPECT_LE((b.x - a.x - shift.unsqueeze(1)).abs().max().item<double>(), 1e-5);
    EXPECT_LE((b.targets - a.targets - shift.unsqueeze(1).unsqueeze(0)).abs().max().item<double>(), 1e-5);
    EXPECT_GT(shift.abs().amax(at::IntArrayRef{1, 2}).min().item<double>(), 0.1) << "every row";
    EXPECT_TRUE(at::equal(a.dt, b.dt));
  }
}

TEST_F(StackStreamsOnNoise, PersistenceIsWhatNoChangeCosts) {
  // All frames are independent noise: twice the variance of a latent number, whatever the horizon.
  const StackStreams streams(net_, clips_, options_);
  const at::Tensor some = streams.batch(0, 0, 4).x;
  for (std::size_t h = 1; h < 3; ++h) EXPECT_NEAR(streams.persistence()[h], 2 * some.var().item<double>(), 0.1 * streams.persistence()[h]);
}

TEST_F(StackStreamsOnNoise, WithoutVideosThereAreNoStreams) {
  EXPECT_THROW(StackStreams(net_, {}, options_), std::invalid_argument);
  EXPECT_THROW(StackStreams(net_, {{clips_[0].features, 3, 4}}, options_), std::invalid_argument);
}

TEST_F(StackStreamsOnNoise, DescribesWhereAStepLooks) {
  const std::string where = StackStreams(net_, clips_, options_).describe(4);
  for (const char* name : {"a", "b", "slow"}) {
    if (where.find("\"" + std::string(name) + "\" from ") != std::string::npos) return;
  }
  FAIL() << where;
}

}  // namespace
}  // namespace longtake
