#include "core/signals/boundary_detector.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

struct Found {
  EventRecord event;
  std::int64_t at;  // frame at which it became certain
};

// Frames with a boundary probability; everything else is ordinary.
std::vector<Found> detect(const std::map<std::int64_t, SurpriseTest::Verdict>& verdicts,
                          std::int64_t frames) {
  BoundaryDetector detector;
  std::vector<Found> out;
  for (std::int64_t i = 0; i < frames; ++i) {
    const auto found = verdicts.find(i);
    const auto step = detector.step(
        observation(i, 0.1), found == verdicts.end() ? SurpriseTest::Verdict{0.5F, 0.0F} : found->second);
    if (step.event) out.push_back({*step.event, i});
  }
  return out;
}

TEST(BoundaryDetector, OneSpikeIsOneEventAfterTheDocumentedDelay) {
  const auto found = detect({{20, {9.0F, 0.9F}}}, 100);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].event.frame, 20);
  EXPECT_EQ(found[0].event.pts, 20 * 3600);
  EXPECT_EQ(found[0].event.score, 9.0);
  EXPECT_EQ(found[0].at, 20 + BoundaryDetector::kConfirmFrames);
}

TEST(BoundaryDetector, AFlashIsOneEventAtItsLargerSide) {
  const auto found = detect({{20, {9.0F, 0.9F}}, {22, {11.0F, 0.99F}}}, 100);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].event.frame, 22);
  EXPECT_EQ(found[0].event.span, (std::array<std::int64_t, 2>{20, 22}));
}

TEST(BoundaryDetector, TwoSpikesApartAreTwoEvents) {
  EXPECT_EQ(detect({{20, {9.0F, 0.9F}}, {40, {9.0F, 0.9F}}}, 100).size(), 2U);
}

TEST(BoundaryDetector, AClusterEndsAfterItsLongestLength) {
  std::map<std::int64_t, SurpriseTest::Verdict> rising;
  for (std::int64_t i = 10; i < 70; ++i) rising[i] = {static_cast<float>(i), 0.9F};
  for (const Found& found : detect(rising, 100)) {
    EXPECT_LE(found.event.span[1] - found.event.span[0], BoundaryDetector::kLongestCluster);
  }
}

TEST(BoundaryDetector, FlushGivesTheOpenClusterOnce) {
  BoundaryDetector detector;
  detector.step(observation(5, 0.1), {9.0F, 0.9F});
  const auto event = detector.flush();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->frame, 5);
  EXPECT_FALSE(detector.flush());
}

}  // namespace
}  // namespace longtake
