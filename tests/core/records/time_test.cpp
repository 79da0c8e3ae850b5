#include "core/records/time.h"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace longtake {
namespace {

TEST(SecondsTruncated, AreCutAndNotRounded) {
  EXPECT_EQ(seconds_truncated(0, 1, 90000), 0.0);
  EXPECT_EQ(seconds_truncated(270000, 1, 90000), 3.0);
  EXPECT_EQ(seconds_truncated(2, 1, 3), 0.666666);
  EXPECT_EQ(seconds_truncated(-2, 1, 3), -0.666666);
  EXPECT_EQ(seconds_truncated(1, 1, 90000), 0.000011);
  EXPECT_EQ(seconds_truncated(1, 1001, 30000), 0.033366);
  EXPECT_EQ(seconds_truncated(1999999, 1, 2000000), 0.999999);
}

// Long division by hand, digit by digit, with the C library reading the decimal text: no shared arithmetic.
double by_long_division(std::uint64_t pts, std::uint64_t num, std::uint64_t den) {
  std::uint64_t rest = pts * num;
  std::string text = std::to_string(rest / den) + ".";
  for (int digit = 0; digit < 6; ++digit) {
    rest = rest % den * 10;
    text += static_cast<char>('0' + rest / den);
  }
  return std::strtod(text.c_str(), nullptr);
}

TEST(SecondsTruncated, AgreeWithLongDivision) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const auto pts = static_cast<std::int64_t>(random() >> 24);  // 40 bits
    const auto num = static_cast<std::int64_t>(random() % 2000 + 1);
    const auto den = static_cast<std::int64_t>(random() % 10'000'000 + 1'000'000);
    const double want = by_long_division(static_cast<std::uint64_t>(pts), static_cast<std::uint64_t>(num),
                                         static_cast<std::uint64_t>(den));
    ASSERT_EQ(seconds_truncated(pts, num, den), want) << pts << "*" << num << "/" << den;
    ASSERT_EQ(seconds_truncated(-pts, num, den), -want);
  }
}

TEST(SecondsTruncated, DoNotOverflow) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(seconds_truncated(kMost, kMost, kMost), 9223372036854775807.0);
  EXPECT_EQ(seconds_truncated(kMost, kMost, 1), 9223372036854775807.0 * 9223372036854775807.0);
  EXPECT_EQ(seconds_truncated(kLeast, kMost, 1), -9223372036854775808.0 * 9223372036854775807.0);
  EXPECT_EQ(seconds_truncated(kLeast, 1, 1), -9223372036854775808.0);
  EXPECT_EQ(seconds_truncated(kMost - 1, 1, kMost), 0.999999);
}

TEST(SecondsTruncated, NeedATimeBaseAboveZero) {
  EXPECT_THROW(seconds_truncated(1, 0, 1), std::invalid_argument);
  EXPECT_THROW(seconds_truncated(1, 1, 0), std::invalid_argument);
  EXPECT_THROW(seconds_truncated(1, -1, 1), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
