#include "core/signals/segmenter.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

TEST(Segmenter, SegmentsCoverEveryFrameOnceWhateverTheCandidates) {
  std::mt19937_64 engine(1);
  for (int round = 0; round < 50; ++round) {
    Segmenter segmenter;
    std::vector<SegmentRecord> segments;
    bool candidate = false;
    const std::int64_t frames = 1 + static_cast<std::int64_t>(engine() % 200);
    for (std::int64_t i = 0; i < frames; ++i) {
      const bool starts = engine() % 10 == 0;
      candidate = candidate || starts;
      segmenter.add(observation(i, 0.1), 1.0, starts);
      if (candidate && engine() % 5 == 0) {
        if (auto stretch = segmenter.close_before_candidate()) segments.push_back(stretch->record(nullptr));
        candidate = false;
      }
    }
    if (auto stretch = segmenter.close_all()) segments.push_back(stretch->record(nullptr));
    std::int64_t next = 0;
    for (const SegmentRecord& segment : segments) {
      ASSERT_EQ(segment.first, next);
      ASSERT_GE(segment.last, segment.first);
      next = segment.last + 1;
    }
    ASSERT_EQ(next, frames);
  }
}

TEST(Segmenter, TheFrameOfTheBoundaryOpensTheNewSegment) {
  Segmenter segmenter;
  for (std::int64_t i = 0; i < 25; ++i) segmenter.add(observation(i, 0.1), i == 20 ? 9.0 : 1.0, i == 20);
  const auto closed = segmenter.close_before_candidate();
  ASSERT_TRUE(closed);
  const SegmentRecord segment = closed->record(nullptr);
  EXPECT_EQ(segment.last, 19);
  EXPECT_EQ(segment.pts[1], 19 * 3600);
  ASSERT_TRUE(segment.surprise);
  EXPECT_EQ(segment.surprise->max, 1.0) << "the boundary's own surprise belongs to the segment it opens";
}

TEST(Segmenter, MeansAreOverTheFramesThatHadASurprise) {
  Segmenter segmenter;
  segmenter.add(observation(0, 0), std::numeric_limits<double>::quiet_NaN(), false);
  segmenter.add(observation(1, 0), 2.0, false);
  segmenter.add(observation(2, 0), 4.0, false);
  const SegmentRecord segment = segmenter.close_all()->record(nullptr);
  EXPECT_EQ(segment.surprise->mean, 3.0);
  EXPECT_EQ(segment.surprise->max, 4.0);
}

}  // namespace
}  // namespace longtake
