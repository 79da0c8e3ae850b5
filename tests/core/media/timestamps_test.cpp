#include "core/media/timestamps.h"

#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

__extension__ using Wide = __int128;

constexpr Rational kMilliseconds{1, 1000};
constexpr Rational kTwentyFive{25, 1};

DecodedTime at(std::int64_t pts) { return {pts, std::nullopt, 0}; }

TEST(Timeline, KeepsSoundStampsAsTheyAre) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  for (const std::int64_t pts : {-5000, -4960, 0, 1, 40, 9999}) {
    const StreamTime time = timeline.next(at(pts));
    EXPECT_EQ(time.pts, pts);
    EXPECT_FALSE(time.repaired);
    EXPECT_EQ(time.jump, 0);
  }
}

TEST(Timeline, TakesTheBestGuessBeforeItInvents) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  const StreamTime time = timeline.next({std::nullopt, 77, 0});
  EXPECT_EQ(time.pts, 77);
  EXPECT_FALSE(time.repaired);
}

TEST(Timeline, FillsMissingStampsWithTheDurationElseTheRateElseTwentyFive) {
  Timeline with_rate({1, 90000}, {30000, 1001});
  EXPECT_EQ(with_rate.next({}).pts, 0);
  EXPECT_EQ(with_rate.next({std::nullopt, std::nullopt, 1234}).pts, 3003);
  const StreamTime third = with_rate.next({});
  EXPECT_EQ(third.pts, 3003 + 1234);
  EXPECT_TRUE(third.repaired);
  EXPECT_EQ(with_rate.next({}).pts, 3003 + 1234 + 3003);

  Timeline without(kMilliseconds, {0, 1});
  EXPECT_EQ(without.next({}).pts, 0);
  EXPECT_EQ(without.next({}).pts, 40);
}

TEST(Timeline, MovesADuplicateByOneTickAndLeavesItsSuccessorsAlone) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  std::vector<std::int64_t> pts;
  std::vector<bool> repaired;
  for (const std::int64_t stamp : {0, 40, 40, 80, 20, 120}) {
    const StreamTime time = timeline.next(at(stamp));
    pts.push_back(time.pts);
    repaired.push_back(time.repaired);
    EXPECT_EQ(time.jump, 0);
  }
  EXPECT_EQ(pts, (std::vector<std::int64_t>{0, 40, 41, 80, 81, 120}));
  EXPECT_EQ(repaired, (std::vector<bool>{false, false, true, false, true, false}));
}

TEST(Timeline, KeepsPaceWhereTheClockStartsAgainAndReportsItOnce) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  for (const std::int64_t stamp : {9920, 9960, 10000}) timeline.next(at(stamp));
  const StreamTime first = timeline.next(at(500));
  EXPECT_EQ(first.pts, 10040);
  EXPECT_TRUE(first.repaired);
  EXPECT_EQ(first.jump, 500 - 10000);
  const StreamTime second = timeline.next(at(540));
  EXPECT_EQ(second.pts, 10080);
  EXPECT_EQ(second.jump, 0);
}

TEST(Timeline, ReportsLeapsBeyondTenSecondsAndTenUsualGaps) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  timeline.next(at(0));
  EXPECT_EQ(timeline.next(at(10000)).jump, 0) << "not more than ten seconds";
  Timeline film(kMilliseconds, kTwentyFive);
  film.next(at(0));
  film.next(at(40));
  const StreamTime leap = film.next(at(40 + 10001));
  EXPECT_EQ(leap.jump, 10001);
  EXPECT_FALSE(leap.repaired);

  Timeline slides(kMilliseconds, {1, 5});
  slides.next(at(0));
  EXPECT_EQ(slides.next(at(50000)).jump, 0) << "ten usual gaps of five seconds";
  EXPECT_EQ(slides.next(at(100000)).jump, 0);

  Timeline mislabelled(kMilliseconds, kTwentyFive);  // says 25 a second, shows one in 20 s
  mislabelled.next(at(0));
  EXPECT_NE(mislabelled.next(at(20000)).jump, 0);
  EXPECT_EQ(mislabelled.next(at(40000)).jump, 0) << "it is usual by now";
}

TEST(Timeline, AlwaysIncreasesWhateverTheStreamSays) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    Timeline timeline({1, 90000}, {25, 1});
    std::optional<std::int64_t> previous;
    for (int i = 0; i < 100; ++i) {
      DecodedTime time;
      const auto any = static_cast<std::int64_t>(random());
      switch (random() % 5) {
        case 0:
          break;
        case 1:
          time.pts = any;
          break;
        case 2:
          time.pts = any % 1000;
          break;
        case 3:
          time.best_effort = any % 100000;
          break;
        default:
          time.pts = i * 3600;
      }
      if (random() % 3 == 0) time.duration = static_cast<std::int64_t>(random());
      const std::int64_t pts = timeline.next(time).pts;
      if (previous) {
        ASSERT_GT(pts, *previous);
      }
      previous = pts;
    }
  }
}

TEST(Timeline, ForgetsAllOnRestart) {
  Timeline timeline(kMilliseconds, kTwentyFive);
  timeline.next(at(100000));
  timeline.restart();
  const StreamTime time = timeline.next(at(40));
  EXPECT_EQ(time.pts, 40);
  EXPECT_FALSE(time.repaired);
  EXPECT_EQ(time.jump, 0);
}

TEST(Timeline, RefusesAnImpossibleTimeBase) {
  EXPECT_THROW(Timeline({0, 1}, kTwentyFive), std::invalid_argument);
  EXPECT_THROW(Timeline({1, 0}, kTwentyFive), std::invalid_argument);
  EXPECT_THROW(Timeline({-1, 25}, kTwentyFive), std::invalid_argument);
}

TEST(FirstPtsAtOrAfter, IsTheLeastPtsNotBeforeTheTime) {
  std::mt19937_64 random(11);
  const Rational bases[] = {{1, 90000}, {1, 1000}, {1001, 30000}, {1, 1}, {7, 3}, {1, 2147483647}};
  for (const Rational base : bases) {
    for (int i = 0; i < 2000; ++i) {
      const Rational seconds{static_cast<std::int64_t>(random() % 2000000) - 1000000,
                             static_cast<std::int64_t>(random() % 1000) + 1};
      const std::int64_t pts = first_pts_at_or_after(seconds, base);
      const auto not_before = [&](std::int64_t p) {
        return Wide{p} * base.num * seconds.den >= Wide{seconds.num} * base.den;
      };
      ASSERT_TRUE(not_before(pts));
      ASSERT_FALSE(not_before(pts - 1));
    }
  }
}

TEST(FirstPtsAtOrAfter, TakesAPtsAsItIsAndSaturates) {
  EXPECT_EQ(first_pts_at_or_after(TimePoint{std::int64_t{-42}}, {1, 25}), -42);
  EXPECT_GT(first_pts_at_or_after(Rational{std::numeric_limits<std::int64_t>::max(), 1}, {1, 90000}),
            std::int64_t{1} << 61);
}

TEST(Thinning, KeepsTheFirstFrameOfEachCell) {
  std::mt19937_64 random(3);
  const Rational base{1, 90000};
  for (const Rational fps : {Rational{10, 1}, Rational{30000, 1001}, Rational{1, 3}, Rational{7, 2}}) {
    std::vector<std::int64_t> pts{-777};
    for (int i = 0; i < 500; ++i) pts.push_back(pts.back() + 1 + static_cast<std::int64_t>(random() % 6000));
    Thinning thinning(fps, base, pts.front());
    // The oracle walks the grid with exact fractions: grid point n is at n * fps.den / fps.num seconds.
    std::int64_t next_point = 0;
    for (const std::int64_t p : pts) {
      const auto reached = [&](std::int64_t n) {
        return (Wide{p} - pts.front()) * base.num * fps.num >= Wide{n} * fps.den * base.den;
      };
      const bool want = reached(next_point);
      while (reached(next_point)) ++next_point;
      ASSERT_EQ(thinning.keep(p), want) << p;
    }
  }
}

TEST(Thinning, KeepsAllFramesOfASlowerStreamAndDoesNotDrift) {
  const Rational base{1001, 30000};
  Thinning same({30000, 1001}, base, 5);
  for (std::int64_t pts = 5; pts < 1000000; pts += 997) ASSERT_TRUE(same.keep(pts));
  Thinning half({15000, 1001}, base, 0);
  for (std::int64_t pts = 0; pts < 100000; ++pts) ASSERT_EQ(half.keep(pts), pts % 2 == 0);
}

TEST(Thinning, ContinuesAsIfItHadNeverStopped) {
  const Rational base{1, 1000};
  std::vector<std::int64_t> kept;
  Thinning whole({10, 1}, base, 13);
  for (std::int64_t pts = 13; pts < 5000; pts += 33) {
    if (whole.keep(pts)) kept.push_back(pts);
  }
  for (std::size_t cut = 0; cut + 1 < kept.size(); ++cut) {
    Thinning rest({10, 1}, base, 13);
    rest.continue_after(kept[cut]);
    std::int64_t pts = kept[cut] + 33;
    while (!rest.keep(pts)) pts += 33;
    ASSERT_EQ(pts, kept[cut + 1]);
  }
}

}  // namespace
}  // namespace longtake
