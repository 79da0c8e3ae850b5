#include "app/studio/samples.h"

#include <cmath>

#include <gtest/gtest.h>

namespace longtake {
namespace {

// 25 frames a second, the loss of frame i is i; after frame 500 nothing for eight seconds.
std::unique_ptr<Findings> findings_of(int frames, int gap_at = -1) {
  auto out = std::make_unique<Findings>();
  std::vector<Record> records;
  for (int i = 0; i < frames; ++i) {
    FrameRecord frame;
    frame.frame = i;
    frame.t = 0.04 * i + (gap_at >= 0 && i > gap_at ? 8 : 0);
    const auto loss = static_cast<float>(i);
    frame.layers = {{loss, loss / 2, 0.1F}};
    if (i == gap_at + 1 && gap_at >= 0)
      records.emplace_back(DiscontinuityRecord{"gap", i, std::llround(frame.t * 1000), 8.04});
    records.emplace_back(std::move(frame));
  }
  out->take(std::move(records), {1, 1000});
  return out;
}

TEST(Samples, AreFramesWhereThereIsRoom) {
  const auto findings = findings_of(1000);
  const Samples samples = samples_between(*findings, 10, 12, 800);
  EXPECT_EQ(samples.grain, Grain::kFrames);
  ASSERT_EQ(samples.all.size(), 51U);
  const auto values = extents(findings->curves().layers()[0].before, samples.all);
  for (std::size_t i = 0; i < samples.all.size(); ++i) {
    EXPECT_NEAR(samples.all[i].t, 10 + 0.04 * static_cast<double>(i), 1e-9);
    EXPECT_EQ(values[i].mean, static_cast<float>(250 + i));
    EXPECT_EQ(samples.all[i].joined, i > 0);
  }
}

TEST(Samples, AreColumnsWhereThereIsNone) {
  const auto findings = findings_of(10'000);
  const Samples samples = samples_between(*findings, 0, 400, 100);
  EXPECT_EQ(samples.grain, Grain::kColumns);
  ASSERT_EQ(samples.all.size(), 100U);
  const auto values = extents(findings->curves().layers()[0].before, samples.all);
  EXPECT_NEAR(values[50].low, 5000, 32);  // widened to whole buckets of the pyramid
  EXPECT_NEAR(values[50].high, 5099, 32);
  EXPECT_NEAR(samples.all[50].t, 202, 1e-9);
}

TEST(Samples, DoNotJoinOverAGap) {
  const auto findings = findings_of(1000, 500);
  ASSERT_EQ(findings->gaps().size(), 1U);
  for (const int columns : {2000, 100}) {
    const Samples samples = samples_between(*findings, 0, 48, columns);
    int apart = 0;
    for (std::size_t i = 1; i < samples.all.size(); ++i) {
      apart += !samples.all[i].joined;
      if (!samples.all[i].joined) {
        EXPECT_GT(samples.all[i].t - samples.all[i - 1].t, 7) << columns;
      }
      EXPECT_FALSE(samples.all[i].t > 20.5 && samples.all[i].t < 27.5) << columns;
    }
    EXPECT_EQ(apart, 1) << columns;
  }
}

TEST(Samples, AreNoneWhereNothingWasWatched) {
  const auto findings = findings_of(100);
  EXPECT_TRUE(samples_between(*findings, 0, 0, 100).all.empty());
  EXPECT_TRUE(samples_between(Findings(), 0, 10, 100).all.empty());
  EXPECT_EQ(samples_between(*findings, 0, 1000, 50).all.size(), 1U);  // all in the first column
}

TEST(SampleAt, IsTheFrameThatIsShownThen) {
  const auto findings = findings_of(1000, 500);
  EXPECT_EQ(sample_at(*findings, 0)->first, 0);
  EXPECT_EQ(sample_at(*findings, 0.04 * 77)->first, 77);
  EXPECT_EQ(sample_at(*findings, 0.04 * 77 + 0.03)->first, 77);
  EXPECT_EQ(sample_at(*findings, 20)->first, 500);
  EXPECT_EQ(sample_at(*findings, 28.04)->first, 501);
  EXPECT_FALSE(sample_at(*findings, 24));    // in the gap
  EXPECT_FALSE(sample_at(*findings, -0.5));  // before all
  EXPECT_FALSE(sample_at(*findings, 500));   // behind all
  EXPECT_FALSE(sample_at(Findings(), 0));
}

std::unique_ptr<Findings> step_of(int frames) {
  auto out = std::make_unique<Findings>();
  std::vector<Record> records;
  for (int i = 0; i < frames; ++i) {
    FrameRecord frame;
    frame.frame = i;
    frame.t = 0.04 * i;
    frame.layers = {{i < frames / 2 ? 1.0F : 3.0F, 0, 0}};
    records.emplace_back(std::move(frame));
  }
  out->take(std::move(records), {1, 1000});
  return out;
}

// After a step it has come nearer by 1 − 1/e within its time, and it starts where the values start; whether it is read frame
// by frame, as columns, or at one moment only.
TEST(RunningMean, FollowsWithinItsTime) {
  const auto findings = step_of(10'000);
  const CurvePyramid& curve = findings->curves().layers()[0].before;
  for (const double seconds : {1.0, 10.0, 40.0}) {
    for (const int columns : {100'000, 1000}) {
      const Samples samples = samples_between(*findings, 150, 300, columns);
      const auto mean = running_mean(*findings, curve, samples.all, seconds);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        const double behind = samples.all[i].t - 200;
        const double width = samples.grain == Grain::kColumns ? 0.15 : 0.04;
        const double want = behind < 0 ? 1 : 3 - 2 * std::exp(-behind / seconds);
        if (std::abs(behind) > width) {
          EXPECT_NEAR(mean[i], want, 3 * width / seconds + 0.01) << seconds << " " << samples.all[i].t;
        }
      }
    }
    const auto one = sample_at(*findings, 200 + seconds);
    EXPECT_NEAR(running_mean(*findings, curve, {*one}, seconds).front(), 3 - 2 / M_E, 0.1 / seconds + 0.01);
    EXPECT_EQ(running_mean(*findings, curve, {*sample_at(*findings, 0)}, seconds).front(), 1);
  }
}

}  // namespace
}  // namespace longtake
