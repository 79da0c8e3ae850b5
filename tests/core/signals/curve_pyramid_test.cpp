#include "core/signals/curve_pyramid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

namespace longtake {
namespace {

constexpr float kGap = std::numeric_limits<float>::quiet_NaN();

std::vector<float> noise(std::size_t count) {
  std::mt19937 random(7);
  std::vector<float> out(count);
  for (float& value : out) value = random() % 17 == 0 ? kGap : static_cast<float>(random() % 10000) / 100;
  return out;
}

// Of values [from, to), by looking at each.
CurvePyramid::Extent extent_of(const std::vector<float>& values, std::int64_t from, std::int64_t to) {
  CurvePyramid::Extent out;
  double sum = 0;
  int count = 0;
  for (std::int64_t i = std::max<std::int64_t>(0, from); i < std::min<std::int64_t>(to, std::ssize(values)); ++i) {
    const float value = values[static_cast<std::size_t>(i)];
    if (std::isnan(value)) continue;
    out.low = count == 0 ? value : std::min(out.low, value);
    out.high = count == 0 ? value : std::max(out.high, value);
    sum += value;
    ++count;
  }
  if (count > 0) out.mean = static_cast<float>(sum / count);
  return out;
}

CurvePyramid::Extent column(const CurvePyramid& curve, double first, double step) {
  CurvePyramid::Extent out;
  curve.envelope(first, step, std::span(&out, 1));
  return out;
}

TEST(CurvePyramid, ShowsEveryValueWhileThereIsRoom) {
  CurvePyramid curve(6);
  const auto values = noise(64);
  for (const float value : values) curve.append(value);
  ASSERT_EQ(curve.stride(), 1);
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto got = column(curve, static_cast<double>(i), 1), expected = extent_of(values, i, i + 1);
    EXPECT_EQ(got.empty(), expected.empty()) << i;
    if (expected.empty()) continue;
    EXPECT_EQ(got.high, expected.high) << i;
  }
}

// Whole buckets of any level: exactly what looking at each value gives, also long after the first coarsening.
TEST(CurvePyramid, EqualsLookingAtEachValue) {
  CurvePyramid curve(5);
  const auto values = noise(1000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    curve.append(values[i]);
    if (i % 37 != 0) continue;
    const auto size = static_cast<std::int64_t>(i + 1);
    for (std::int64_t width = curve.stride(); width <= 4 * size; width *= 2) {
      for (std::int64_t from = 0; from < size; from += width) {
        const auto got = column(curve, static_cast<double>(from), static_cast<double>(width));
        const auto expected = extent_of(values, from, std::min(from + width, size));
        ASSERT_EQ(got.empty(), expected.empty()) << size << ' ' << from << ' ' << width;
        if (expected.empty()) continue;
        ASSERT_EQ(got.low, expected.low) << size << ' ' << from << ' ' << width;
        ASSERT_EQ(got.high, expected.high);
        ASSERT_NEAR(got.mean, expected.mean, 1e-3);
      }
    }
  }
}

TEST(CurvePyramid, AnyColumnHoldsItsValuesAndFewOthers) {
  CurvePyramid curve(8);
  const auto values = noise(5000);
  for (const float value : values) curve.append(value);
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const double first = random() % 6000 - 500.0, step = 1 + random() % 3000 / 10.0;
    const auto got = column(curve, first, step);
    const auto inside =
        extent_of(values, static_cast<std::int64_t>(std::ceil(first)), static_cast<std::int64_t>(first + step));
    const double slack = std::max(step / 2, static_cast<double>(curve.stride()));
    const auto around = extent_of(values, static_cast<std::int64_t>(std::floor(first - slack)),
                                  static_cast<std::int64_t>(std::ceil(first + step + slack)));
    if (!inside.empty()) {
      ASSERT_LE(got.low, inside.low);
      ASSERT_GE(got.high, inside.high);
    }
    if (got.empty()) continue;
    ASSERT_GE(got.low, around.low);
    ASSERT_LE(got.high, around.high);
  }
}

TEST(CurvePyramid, StaysAsLargeAsItIs) {
  CurvePyramid curve(6);
  const std::size_t bytes = curve.bytes();
  for (int i = 0; i < 100'000; ++i) curve.append(static_cast<float>(i));
  EXPECT_EQ(curve.bytes(), bytes);
  EXPECT_EQ(curve.size(), 100'000);
  const auto whole = column(curve, 0, 100'000);
  EXPECT_EQ(whole.low, 0);
  EXPECT_EQ(whole.high, 99'999);
  EXPECT_NEAR(whole.mean, 49'999.5F, 1);
}

TEST(CurvePyramid, OutsideThereIsNothing) {
  CurvePyramid curve(6);
  EXPECT_TRUE(column(curve, 0, 10).empty());
  for (int i = 0; i < 10; ++i) curve.append(1);
  EXPECT_TRUE(column(curve, -10, 10).empty());
  EXPECT_TRUE(column(curve, 10, 1).empty());
  EXPECT_FALSE(column(curve, 9.5, 1).empty());
  curve.clear();
  EXPECT_EQ(curve.size(), 0);
  EXPECT_TRUE(column(curve, 0, 10).empty());
}

TEST(CurvePyramid, RefusesWhatCannotBe) {
  EXPECT_THROW(CurvePyramid(3), std::invalid_argument);
  EXPECT_THROW(CurvePyramid(29), std::invalid_argument);
  EXPECT_THROW(column(CurvePyramid(6), 0, 0), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
