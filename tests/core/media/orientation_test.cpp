#include "core/media/orientation.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

namespace longtake {
namespace {

constexpr std::int32_t kOne = 1 << 16;
using Matrix = std::array<std::int32_t, 9>;

// Clockwise on the screen, where y points down: (x, y) goes to (x cos - y sin, x sin + y cos).
Matrix turned(double degrees) {
  const double radians = degrees * std::numbers::pi / 180;
  const auto c = static_cast<std::int32_t>(std::lround(std::cos(radians) * kOne));
  const auto s = static_cast<std::int32_t>(std::lround(std::sin(radians) * kOne));
  return {c, s, 0, -s, c, 0, 0, 0, 1 << 30};
}

TEST(Orientation, FindsQuarterTurnsWithinADegree) {
  for (const double off : {-0.9, 0.0, 0.9}) {
    EXPECT_EQ(clockwise_quarter_turns(turned(0 + off)), 0);
    EXPECT_EQ(clockwise_quarter_turns(turned(90 + off)), 1);
    EXPECT_EQ(clockwise_quarter_turns(turned(180 + off)), 2);
    EXPECT_EQ(clockwise_quarter_turns(turned(270 + off)), 3);
  }
}

TEST(Orientation, IgnoresNonsense) {
  EXPECT_EQ(clockwise_quarter_turns(Matrix{}), 0);
  EXPECT_EQ(clockwise_quarter_turns(turned(93)), 0);
  EXPECT_EQ(clockwise_quarter_turns(turned(135)), 0);
  EXPECT_EQ(clockwise_quarter_turns(Matrix{-kOne, 0, 0, 0, kOne, 0, 0, 0, 1 << 30}), 0) << "mirrored";
  EXPECT_EQ(clockwise_quarter_turns(Matrix{0, kOne, 0, 0, kOne, 0, 0, 0, 1 << 30}), 0) << "flattened";
  EXPECT_EQ(clockwise_quarter_turns(Matrix{0, kOne, 0, -kOne, 3 * kOne, 0, 0, 0, 1 << 30}), 0) << "skewed";
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  EXPECT_EQ(
      clockwise_quarter_turns(Matrix{kLeast, kLeast, kLeast, kLeast, kLeast, kLeast, kLeast, kLeast, kLeast}),
      0);
}

TEST(Orientation, DoesNotCareForScale) {
  EXPECT_EQ(clockwise_quarter_turns(Matrix{0, 3 * kOne, 0, -2 * kOne, 0, 0, 0, 0, 1 << 30}), 1);
  EXPECT_EQ(clockwise_quarter_turns(Matrix{0, -1, 0, 1, 0, 0, 0, 0, 1 << 30}), 3);
}

}  // namespace
}  // namespace longtake
