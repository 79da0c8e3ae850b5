#include "app/studio/surprise_levels.h"

#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "app/studio/findings.h"
#include "core/signals/boundary_detector.h"

namespace longtake {
namespace {

std::vector<FrameRecord> noisy_frames(std::int64_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> ordinary;
  std::exponential_distribution<float> tail(0.3F);
  std::vector<FrameRecord> out(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    FrameRecord& frame = out[static_cast<std::size_t>(i)];
    frame.frame = i;
    frame.pts = 512 * i;
    frame.t = 0.04 * static_cast<double>(i);
    frame.surprise = ordinary(random) + (i % 97 == 0 || i % 97 == 3 ? tail(random) : 0);
    frame.boundary = 1 / (1 + std::exp(5 - *frame.surprise));
    frame.layers = {{1, 0.5F, 0.1F}};
  }
  return out;
}

// What the engine's detector finds if it is shown every frame.
std::vector<EventRecord> by_the_detector(const std::vector<FrameRecord>& frames, double level, std::int64_t break_at) {
  std::vector<EventRecord> out;
  BoundaryDetector detector;
  const auto take = [&](std::optional<EventRecord> event) {
    if (!event) return;
    event->confidence = *frames[static_cast<std::size_t>(event->frame)].boundary;
    out.push_back(*event);
  };
  for (const FrameRecord& frame : frames) {
    if (frame.frame == break_at) take(detector.flush());
    Observation seen;
    seen.frame = frame.frame;
    seen.pts = frame.pts;
    seen.t = frame.t;
    take(detector.step(seen, {*frame.surprise, *frame.surprise >= level ? 1.0F : 0.0F}).event);
  }
  take(detector.flush());
  return out;
}

std::string text_of(const std::vector<EventRecord>& events) {
  std::string out;
  for (const EventRecord& event : events) append_json_line(event, out);
  return out;
}

TEST(SurpriseLevels, FindWhatTheEnginesRuleFindsAtThatLevel) {
  constexpr std::int64_t kBreak = 4 * 97 + 1;  // in the middle of a cluster
  const auto frames = noisy_frames(20'000);
  SurpriseLevels levels;
  for (const FrameRecord& frame : frames) {
    if (frame.frame == kBreak) levels.discontinue();
    levels.add(frame);
  }
  for (const double level : {2.0, 2.5, 4.0, 8.0, 100.0}) {
    EXPECT_EQ(text_of(levels.events_at(level)), text_of(by_the_detector(frames, level, kBreak))) << level;
  }
}

TEST(SurpriseLevels, KeepWhatStandsOutMostWhenThereIsNoRoomForAll) {
  const auto frames = noisy_frames(20'000);
  SurpriseLevels levels(256);
  for (const FrameRecord& frame : frames) levels.add(frame);
  EXPECT_GT(levels.lowest(), 2);
  EXPECT_LT(levels.lowest(), levels.highest());
  for (const double level : {levels.lowest(), 8.0}) {
    EXPECT_EQ(text_of(levels.events_at(level)), text_of(by_the_detector(frames, level, -1))) << level;
  }
}

// What a person waits for who drags the threshold: from the level to the rows of the list.
TEST(SurpriseLevels, DecideAMillionFramesAnewInLessThanATenthOfASecond) {
  Findings findings;
  const auto frames = noisy_frames(1'000'000);
  findings.take(std::vector<Record>(frames.begin(), frames.end()), {512, 12'800});
  Edits edits;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr double kMost_s = 2;  // a sanitizer takes most of it
#else
  constexpr double kMost_s = 0.1;
#endif
  for (const double level : {8.0, 3.0, 2.0, 5.0}) {
    edits.choices.thresholds.surprise = level;
    const auto start = std::chrono::steady_clock::now();
    findings.edit(edits);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(static_cast<std::size_t>(findings.events().rowCount()), findings.crossings().size());
    EXPECT_GT(findings.crossings().size(), 1000U);
    EXPECT_LT(took.count(), kMost_s) << "at " << level << ": " << findings.crossings().size() << " events";
  }
}

}  // namespace
}  // namespace longtake
