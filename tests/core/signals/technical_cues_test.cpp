#include "core/signals/technical_cues.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

template <class Change>
std::vector<EventRecord> cues(std::int64_t frames, Change change) {
  TechnicalCues detector;
  std::vector<EventRecord> events;
  for (std::int64_t i = 0; i < frames; ++i) {
    Observation frame = observation(i, 0.1);
    change(i, frame);
    detector.step(frame, events);
  }
  detector.flush(events);
  return events;
}

TEST(TechnicalCues, OrdinaryVideoHasNone) {
  EXPECT_TRUE(cues(200, [](std::int64_t, Observation&) {}).empty());
}

TEST(TechnicalCues, ABlackStretchIsOneEventWithItsSpan) {
  const auto events = cues(200, [](std::int64_t i, Observation& frame) {
    if (i >= 50 && i < 80) frame.thumbnail.fill(static_cast<std::uint8_t>(16 + i % 3));
  });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "black");
  EXPECT_EQ(events[0].span, (std::array<std::int64_t, 2>{50, 79}));
  EXPECT_NEAR(events[0].score, 29 * kFrameSeconds, 1e-9);
}

TEST(TechnicalCues, ADarkPictureWithALightInItIsNotBlack) {
  EXPECT_TRUE(cues(200, [](std::int64_t i, Observation& frame) {
                frame.thumbnail.fill(2);
                frame.thumbnail[static_cast<std::size_t>(i)] = 200;
              }).empty());
}

TEST(TechnicalCues, AFrozenPictureIsOneEventAndAShortOneIsNone) {
  const auto freeze = [](std::int64_t first, std::int64_t last) {
    return [=](std::int64_t i, Observation& frame) {
      if (i >= first && i <= last) frame.thumbnail = observation(first, 0).thumbnail;
    };
  };
  const auto events = cues(300, freeze(100, 200));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "frozen");
  EXPECT_EQ(events[0].span, (std::array<std::int64_t, 2>{101, 200}))
      << "the first frame of a still is still news";
  EXPECT_TRUE(cues(300, freeze(100, 130)).empty());
}

TEST(TechnicalCues, APictureOfOneColourIsNoSignal) {
  const auto blue = [](std::int64_t i, Observation& frame) {
    if (i < 50 || i >= 120) return;
    for (std::size_t p = 0; p < frame.thumbnail.size(); p += 3) {
      frame.thumbnail[p] = frame.thumbnail[p + 1] = 3;
      frame.thumbnail[p + 2] = 220;
    }
  };
  const auto events = cues(300, blue);
  ASSERT_EQ(events.size(), 1U) << "and it is not frozen, too";
  EXPECT_EQ(events[0].kind, "no_signal");
  EXPECT_EQ(events[0].span, (std::array<std::int64_t, 2>{50, 119}));
  const auto written = cues(300, [&](std::int64_t i, Observation& frame) {
    blue(i, frame);
    frame.thumbnail[0] = 40;  // something in a corner
  });
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].kind, "frozen");
}

TEST(TechnicalCues, BlackIsNotReportedAsFrozenToo) {
  const auto events = cues(300, [](std::int64_t i, Observation& frame) {
    if (i >= 100 && i < 200) frame.thumbnail.fill(0);
  });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "black");
}

}  // namespace
}  // namespace longtake
