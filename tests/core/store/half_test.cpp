#include "core/store/half.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace longtake {
namespace {

// By the definition of the format: sign, 5 bits of exponent with bias 15, 10 bits of mantissa.
double by_definition(unsigned half) {
  const double sign = (half & 0x8000u) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>((half >> 10) & 31u);
  const double mantissa = half & 1023u;
  if (exponent == 31) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Half, WidensEveryValueExactly) {
  for (unsigned half = 0; half < 65536; ++half) {
    const float got = half_to_float(static_cast<std::uint16_t>(half));
    const double want = by_definition(half);
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(got)) << half;
    } else {
      ASSERT_EQ(got, want) << half;
      ASSERT_EQ(std::signbit(got), std::signbit(want)) << half;
    }
  }
}

TEST(Half, EveryHalfComesBackFromItsFloat) {
  for (unsigned half = 0; half < 65536; ++half) {
    const float value = half_to_float(static_cast<std::uint16_t>(half));
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << half;
    } else {
      ASSERT_EQ(float_to_half(value), half);
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (unsigned half = 0; half < 0x7C00; ++half) {
    const double below = by_definition(half);
    // The one above the largest would be 65536, and stands for infinity.
    const double above = half + 1 == 0x7C00 ? 65536.0 : by_definition(half + 1);
    const auto middle = static_cast<float>((below + above) / 2);  // exact: one bit more than a half has
    const unsigned even = (half & 1u) == 0 ? half : half + 1;
    ASSERT_EQ(float_to_half(middle), even) << half;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0F)), half);
    ASSERT_EQ(float_to_half(std::nextafter(middle, 1e9F)), half + 1);
    ASSERT_EQ(float_to_half(-middle), even | 0x8000u);
  }
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(float_to_half(-1e30F), 0xFC00);
}

}  // namespace
}  // namespace longtake
