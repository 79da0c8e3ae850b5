#include "core/signals/surprise.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

TEST(SurpriseTest, FindsAJumpInTheErrorAndNothingElse) {
  SurpriseTest test;
  OrdinaryErrors errors(1);
  int alarms = 0;
  for (int i = 0; i < 2000; ++i) {
    const bool jump = i == 1000;
    const auto verdict = test.judge(jump ? 1.5 : errors(), i * 0.04, 0.04);
    if (jump) {
      EXPECT_GT(verdict.surprise, 6);
      EXPECT_GT(verdict.boundary, 0.5);
    } else {
      alarms += verdict.boundary >= 0.5;
    }
  }
  EXPECT_EQ(alarms, 0);
}

// An hour of errors that spread over two orders of magnitude all the time: the tail is learned, so there is
// less than an alarm a minute, where "six standard deviations" would give dozens.
TEST(SurpriseTest, LearnsHeavyTails) {
  SurpriseTest test;
  OrdinaryErrors errors(3, 1.0);
  int alarms = 0;
  int beyond_six = 0;
  for (int i = 0; i < 90000; ++i) {
    const auto verdict = test.judge(errors(), i * 0.04, 0.04);
    alarms += verdict.boundary >= 0.5;
    beyond_six += verdict.surprise > 6;
  }
  EXPECT_LT(alarms, 60);
  EXPECT_GT(beyond_six, 10 * alarms);
}

TEST(SurpriseTest, SaysTheSameAtAnyScaleOfTheError) {
  SurpriseTest small, large;
  OrdinaryErrors errors(5);
  for (int i = 0; i < 500; ++i) {
    const double error = 1e6 * errors();  // far above the least spread, where only ratios count
    const auto a = small.judge(error, i * 0.04, 0.04);
    const auto b = large.judge(50 * error, i * 0.04, 0.04);
    ASSERT_NEAR(a.surprise, b.surprise, 1e-2);
  }
}

TEST(SurpriseTest, StillPicturesAreNotSurprising) {
  SurpriseTest test;
  for (int i = 0; i < 1000; ++i) {
    const auto verdict = test.judge(i % 2 == 0 ? 0.0 : 1e-5, i * 0.04, 0.04);
    ASSERT_LT(verdict.boundary, 0.5) << "frame " << i;
  }
}

TEST(SurpriseTest, AnErrorThatIsNoNumberIsNoBoundaryAndLeavesNoTrace) {
  SurpriseTest test, untouched;
  OrdinaryErrors errors(7);
  for (int i = 0; i < 300; ++i) {
    const double error = errors();
    if (i == 200) {
      const auto verdict = test.judge(std::numeric_limits<double>::quiet_NaN(), i * 0.04, 0.04);
      EXPECT_TRUE(std::isnan(verdict.surprise));
      EXPECT_EQ(verdict.boundary, 0);
    }
    EXPECT_EQ(test.judge(error, i * 0.04, 0.04).surprise, untouched.judge(error, i * 0.04, 0.04).surprise);
  }
}

}  // namespace
}  // namespace longtake
