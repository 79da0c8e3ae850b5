#include "core/signals/light_changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/store/archive.h"
#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

// A still scene of stripes, of a brightness.
Thumbnail scene(double gain, int stripe = 7) {
  Thumbnail out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(std::min(255.0, gain * (60 + 20 * static_cast<double>(i / 3 % static_cast<std::size_t>(stripe)))));
  }
  return out;
}

// `shown` gives the picture of a frame.
template <class Shown>
std::vector<EventRecord> events_of(std::int64_t frames, Shown shown, std::int64_t saved_at = -1) {
  LightChanges changes;
  std::vector<EventRecord> events;
  for (std::int64_t i = 0; i < frames; ++i) {
    if (i == saved_at) {
      TensorFile file;
      StateWriter(file, "")("light", changes);
      changes = LightChanges();
      StateReader reader(file, "");
      reader("light", changes);
    }
    Observation frame = observation(i, 0.02);
    frame.thumbnail = shown(i);
    changes.step(frame, events);
  }
  return events;
}

TEST(LightChanges, AFlashComesBackAndHasItsSpan) {
  for (const std::int64_t saved : {-1, 41, 42, 43}) {
    const auto events = events_of(100, [](std::int64_t i) { return scene(i == 41 || i == 42 ? 1.8 : 1); }, saved);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, "flash");
    EXPECT_EQ(events[0].frame, 41);
    EXPECT_EQ(events[0].span, (std::array<std::int64_t, 2>{41, 42}));
    EXPECT_GT(events[0].score, 0.2);
  }
}

TEST(LightChanges, ALampThatStaysIsALightChangeOnOrOff) {
  for (const double gain : {0.5, 1.5}) {
    const auto events = events_of(100, [&](std::int64_t i) { return scene(i < 40 ? 1 : gain); });
    ASSERT_EQ(events.size(), 1U) << gain;
    EXPECT_EQ(events[0].kind, "light");
    EXPECT_EQ(events[0].frame, 40);
  }
}

TEST(LightChanges, ACutIsNeitherAndNorIsWhatComesSlowly) {
  EXPECT_TRUE(events_of(100, [](std::int64_t i) { return scene(i < 40 ? 1 : 1.5, i < 40 ? 7 : 3); }).empty());
  EXPECT_TRUE(events_of(200, [](std::int64_t i) { return scene(1 + 0.004 * static_cast<double>(i)); }).empty());
}

TEST(LightChanges, TooLongForAFlashAndBackIsNothing) {
  EXPECT_TRUE(events_of(100, [](std::int64_t i) { return scene(i >= 40 && i < 58 ? 1.5 : 1); }).empty());
}

TEST(LightChanges, NothingIsComparedAcrossABreak) {
  LightChanges changes;
  std::vector<EventRecord> events;
  for (std::int64_t i = 0; i < 100; ++i) {
    if (i == 40) changes.flush();
    Observation frame = observation(i, 0.02);
    frame.thumbnail = scene(i < 40 ? 1 : 1.5);
    changes.step(frame, events);
  }
  EXPECT_TRUE(events.empty());
}

}  // namespace
}  // namespace longtake
