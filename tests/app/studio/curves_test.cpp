#include "app/studio/curves.h"

#include <cmath>

#include <gtest/gtest.h>

namespace longtake {
namespace {

TEST(FrameTimes, AreThoseThatWereGiven) {
  FrameTimes times(64);
  std::vector<double> given;
  for (int i = 0; i < 50; ++i) {
    given.push_back(10 + 0.04 * i + (i > 20 ? 3 : 0));  // with a gap
    times.append(given.back());
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_NEAR(times.time_of(i), given[static_cast<std::size_t>(i)], 1e-9) << i;
    EXPECT_NEAR(times.frame_at(given[static_cast<std::size_t>(i)]), i, 1e-6) << i;
  }
}

TEST(FrameTimes, StayInTheirRoom) {
  FrameTimes times(64);
  const std::size_t bytes = times.bytes();
  for (int i = 0; i < 10'000; ++i) times.append(0.04 * i);
  EXPECT_EQ(times.bytes(), bytes);
  for (const double frame : {0.0, 1.0, 777.0, 9'990.0, 9'999.0, 12'000.0, -5.0}) {
    EXPECT_NEAR(times.time_of(frame), 0.04 * frame, 1e-6) << frame;
    EXPECT_NEAR(times.frame_at(0.04 * frame), frame, 1e-6) << frame;
  }
}

FrameRecord frame_with(int i, float before) {
  FrameRecord out;
  out.frame = i;
  out.t = 0.04 * i;
  out.layers = {{before, before / 2, 0.1F}, {2 * before, before, 0.2F}};
  return out;
}

TEST(Curves, KeepWhatEveryLayerSaid) {
  Curves curves;
  curves.begin(2);
  const std::size_t bytes = curves.bytes();
  for (int i = 0; i < 5000; ++i) curves.add(frame_with(i, static_cast<float>(i % 100)));
  EXPECT_EQ(curves.bytes(), bytes);
  EXPECT_EQ(curves.frames(), 5000);
  CurvePyramid::Extent extent;
  curves.layers()[1].before.envelope(1234, 1, std::span(&extent, 1));
  EXPECT_EQ(extent.high, 68);
  curves.surprise().envelope(0, 5000, std::span(&extent, 1));
  EXPECT_TRUE(extent.empty());
}

}  // namespace
}  // namespace longtake
