#include "core/signals/shot_detector.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "core/store/archive.h"
#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

ShotSlot slot_of(std::int64_t frame) {
  ShotSlot slot;
  slot.frame = slot.last = frame;
  slot.pts = frame * 3600;
  slot.t = static_cast<double>(frame) * kFrameSeconds;
  return slot;
}

// Verdicts of slots 0, 1, …: the events that come of them, and the slot after which each was certain.
struct Judged {
  std::vector<EventRecord> events;
  std::vector<std::int64_t> certain;
};
Judged judge(const std::vector<ShotVerdict>& verdicts) {
  Judged out;
  ShotDetector detector;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    if (auto event = detector.step(slot_of(n), verdicts[i]).event) {
      out.events.push_back(*event);
      out.certain.push_back(n);
    }
  }
  if (auto event = detector.flush()) {
    out.events.push_back(*event);
    out.certain.push_back(-1);
  }
  return out;
}

std::vector<ShotVerdict> quiet(std::size_t slots) { return std::vector<ShotVerdict>(slots); }

TEST(ShotDetector, ACutIsAtItsLikeliestSlot) {
  auto verdicts = quiet(20);
  verdicts[9] = {0.9F, 0.3F, 5.0F};
  verdicts[10] = {0.97F, 0.95F, 1.0F};
  verdicts[11] = {0.6F, 0.55F, 9.0F};
  const Judged judged = judge(verdicts);
  ASSERT_EQ(judged.events.size(), 1U);
  const EventRecord& cut = judged.events[0];
  EXPECT_EQ(cut.kind, "cut");
  EXPECT_EQ(cut.frame, 10);
  EXPECT_EQ(cut.pts, 36000);
  EXPECT_DOUBLE_EQ(cut.t, 0.4);
  EXPECT_EQ(cut.span, (std::array<std::int64_t, 2>{9, 11}));
  EXPECT_FLOAT_EQ(static_cast<float>(cut.confidence), 0.97F);
  EXPECT_NEAR(cut.score, 3.4761, 1e-3);  // ln(.97 / .03)
  EXPECT_EQ(judged.certain[0], 11 + ShotDetector::kQuiet);
}

TEST(ShotDetector, AGradualChangeIsWhereMostChangesAndSurvivesAGap) {
  auto verdicts = quiet(30);
  for (std::size_t i = 5; i <= 15; ++i) verdicts[i] = {0.8F, 0.1F, static_cast<float>(i == 12 ? 3 : 1)};
  verdicts[6].transition = 0.89F;
  EXPECT_TRUE(judge(verdicts).events.empty()) << "no slot of it is sure enough";
  verdicts[6].transition = 0.9F;
  verdicts[8] = verdicts[9] = {0.2F, 0.9F, 99.0F};  // not part of it: neither a cut nor fast
  const Judged judged = judge(verdicts);
  ASSERT_EQ(judged.events.size(), 1U);
  EXPECT_EQ(judged.events[0].kind, "gradual");
  EXPECT_EQ(judged.events[0].frame, 12);
  EXPECT_EQ(judged.events[0].span, (std::array<std::int64_t, 2>{5, 15}));
}

TEST(ShotDetector, ThreeQuietSlotsMakeTwoEvents) {
  auto verdicts = quiet(30);
  verdicts[5] = verdicts[9] = {0.9F, 0.9F, 1.0F};
  EXPECT_EQ(judge(verdicts).events.size(), 2U);
  verdicts[7] = {0.5F, 0.0F, 0.0F};  // one half is likely enough
  EXPECT_EQ(judge(verdicts).events.size(), 1U);
}

TEST(ShotDetector, NothingLikelyIsNoEventAndACutOfLongAgoDoesNotCount) {
  EXPECT_TRUE(judge(std::vector<ShotVerdict>(50, {0.49F, 0.99F, 9.0F})).events.empty());
  auto verdicts = quiet(40);
  verdicts[5] = {0.9F, 0.9F, 9.0F};
  for (std::size_t i = 20; i < 30; ++i) verdicts[i] = {0.9F, 0.1F, 1.0F};
  const Judged judged = judge(verdicts);
  ASSERT_EQ(judged.events.size(), 2U);
  EXPECT_EQ(judged.events[1].kind, "gradual");
  EXPECT_EQ(judged.events[1].frame, 20);
}

TEST(ShotDetector, OneLikelySlotIsNothingUnlessItIsACut) {
  auto verdicts = quiet(20);
  verdicts[9] = {0.9F, 0.4F, 1.0F};
  EXPECT_TRUE(judge(verdicts).events.empty());
  verdicts[9].cut = 0.6F;
  EXPECT_EQ(judge(verdicts).events.size(), 1U);
  verdicts[9].cut = 0.4F;
  verdicts[10] = {0.6F, 0.4F, 0.5F};
  EXPECT_EQ(judge(verdicts).events.size(), 1U);
}

TEST(ShotDetector, ARunHasAnEnd) {
  const Judged judged = judge(std::vector<ShotVerdict>(300, {0.9F, 0.0F, 1.0F}));
  ASSERT_EQ(judged.events.size(), 3U);
  EXPECT_EQ(judged.certain, (std::vector<std::int64_t>{127, 255, -1}));
}

TEST(ShotDetector, WhatIsCertainComesWithoutDoubtAndFinite) {
  auto verdicts = quiet(10);
  verdicts[5] = {1.0F, 1.0F, 1.0F};
  const Judged judged = judge(verdicts);
  ASSERT_EQ(judged.events.size(), 1U);
  EXPECT_TRUE(std::isfinite(judged.events[0].score));
  EXPECT_LE(judged.events[0].confidence, 1.0);
}

Observation shown(std::int64_t frame, bool sharpest, bool ends) {
  Observation out = observation(frame, 0.02);
  out.shot = ShotObservation{sharpest, ends, {}};
  return out;
}

TEST(ShotSlots, AFrameBeforeTheSharpestBelongsToTheSlotBefore) {
  ShotSlots slots;
  slots.add(shown(0, true, true), 0);
  slots.add(shown(1, true, false), 0);
  slots.add(shown(2, false, true), 0);
  slots.add(shown(3, true, false), 0);
  slots.add(shown(4, true, true), 0);  // the picture changes here, in the middle of its slot
  slots.add(shown(5, true, false), 0);
  const auto extent = [](const Stretch& stretch) {
    const SegmentRecord record = stretch.record(nullptr);
    return std::array{record.first, record.last};
  };
  EXPECT_EQ(extent(slots.take().stretch), (std::array<std::int64_t, 2>{0, 0}));
  EXPECT_EQ(extent(slots.take().stretch), (std::array<std::int64_t, 2>{1, 3}));
  const ShotSlot last = slots.take();
  EXPECT_EQ(last.frame, 4);
  EXPECT_EQ(last.pts, 4 * 3600);
  EXPECT_EQ(last.last, 4);
  EXPECT_THROW((void)slots.take(), std::logic_error);
  EXPECT_EQ(extent(slots.take_rest().stretch), (std::array<std::int64_t, 2>{5, 5}));
  EXPECT_TRUE(slots.take_rest().stretch.empty());
}

TEST(ShotSlots, MoreThanTheDelayIsAMistakeOfTheCaller) {
  ShotSlots slots;
  for (std::int64_t i = 0; i <= kShotDelay; ++i) slots.add(shown(i, true, true), 0);
  EXPECT_THROW(slots.add(shown(kShotDelay + 1, true, true), 0), std::logic_error);
}

}  // namespace
}  // namespace longtake
