#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "core/live/back_off.h"
#include "core/live/latency.h"
#include "core/live/stream_clock.h"

namespace longtake {
namespace {

TEST(StreamClock, TheFirstConnectionKeepsItsTimes) {
  StreamClock clock;
  clock.connect({1, 90000}, 48600, 123);
  for (const std::int64_t pts : {48600, 52200, 55800}) EXPECT_EQ(clock(pts), pts);
}

TEST(StreamClock, MayBeginAnywhere) {
  StreamClock clock;
  clock.connect({1, 1'000'000}, 85'072'456'920, 0, 0);
  EXPECT_EQ(clock(85'072'456'920), 0);
  EXPECT_EQ(clock(85'072'496'920), 40000);
  clock.connect({1, 1'000'000}, 99'000'000'000, 2, 0);
  EXPECT_EQ(clock(99'000'000'000), 2'040'000);
}

TEST(StreamClock, ALaterOneGoesOnBehindTheGapInTheFirstOnesTimeBase) {
  StreamClock clock;
  clock.connect({1, 90000}, 1000, 0);
  EXPECT_EQ(clock(1000), 1000);
  clock.connect({1, 1000}, 777, 2.5);
  EXPECT_EQ(clock(777), 1000 + 225000);
  EXPECT_EQ(clock(817), 1000 + 225000 + 3600);
  clock.connect({1001, 30000}, 0, 1);
  const std::int64_t begin = 1000 + 225000 + 3600 + 90000;
  EXPECT_EQ(clock(0), begin);
  EXPECT_EQ(clock(1), begin + 3003);
  EXPECT_EQ(clock(100), begin + 300300);
}

TEST(StreamClock, TimeNeverStandsStill) {
  StreamClock clock;
  clock.connect({1, 25}, 0, 0);
  EXPECT_EQ(clock(0), 0);
  clock.connect({1, 1000}, 0, -5);  // a clock that was put back
  EXPECT_EQ(clock(0), 1);
  EXPECT_EQ(clock(1), 2);  // less than a tick later
  EXPECT_EQ(clock(2), 3);
  EXPECT_THROW(clock.connect({0, 1}, 0, 0), std::invalid_argument);
}

TEST(StreamClock, TheLargestTimesDoNotOverflow) {
  StreamClock clock;
  clock.connect({1, 1'000'000'000}, 0, 0);
  EXPECT_EQ(clock(0), 0);
  clock.connect({1000, 1}, INT64_MIN, 1e300);
  std::int64_t last = clock(INT64_MIN);
  for (const std::int64_t pts : {std::int64_t{0}, INT64_MAX, INT64_MAX}) {
    const std::int64_t now = clock(pts);
    EXPECT_GT(now, last);
    last = now;
  }
}

TEST(BackOff, WaitsTwiceAsLongUpToItsMostAndStartsAnew) {
  BackOff wait(7);
  const auto near = [](double is, double wanted) { return is >= 0.8 * wanted && is <= 1.2 * wanted; };
  for (const double wanted : {1, 2, 4, 8, 16, 30, 30, 30}) EXPECT_PRED2(near, wait.next_s(), wanted);
  wait.succeeded();
  EXPECT_PRED2(near, wait.next_s(), 1);
  BackOff one(1), other(2);
  EXPECT_NE(one.next_s(), other.next_s()) << "not all at once";
}

TEST(Latency, QuantilesAreThoseOfASortedListWithinFivePercent) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> times(-4, 1.5);
  Latency latency;
  EXPECT_EQ(latency.quantile_s(0.5), 0);
  std::vector<double> all;
  for (int i = 0; i < 10'000; ++i) latency.add(all.emplace_back(times(random)));
  std::ranges::sort(all);
  for (const double q : {0.01, 0.5, 0.95, 0.99, 1.0}) {
    const double exact = all[static_cast<std::size_t>(std::ceil(q * 10'000)) - 1];
    EXPECT_GE(latency.quantile_s(q), 0.999 * exact);
    EXPECT_LE(latency.quantile_s(q), 1.051 * exact);
  }
  EXPECT_EQ(latency.count(), 10'000);
  latency.add(-1);
  latency.add(1e9);
  latency.add(std::nan(""));
  EXPECT_EQ(latency.count(), 10'003);
}

}  // namespace
}  // namespace longtake
