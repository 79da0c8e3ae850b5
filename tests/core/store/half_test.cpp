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

}  // namespace
}  // namespace longtake
