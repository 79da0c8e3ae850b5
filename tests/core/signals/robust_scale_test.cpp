#include "core/signals/robust_scale.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

// Straight from the definition, over all values at once.
double standing_by_sorting(std::vector<double> past, double value) {
  const auto upper_median = [](std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
  };
  const double centre = upper_median(past);
  const double n = static_cast<double>(past.size());
  for (double& v : past) v = std::abs(v - centre);
  const double sigma = 1.4826 * upper_median(past);
  const double variance = (n * sigma * sigma + RobustScale::kPriorWeight * std::pow(0.4 * centre + 0.03, 2)) /
                          (n + RobustScale::kPriorWeight);
  return (value - centre) / std::max(std::sqrt(variance), 0.08 * centre + 0.02);
}

TEST(RobustScale, EqualsTheDefinitionOverItsWindow) {
  std::mt19937_64 engine(1);
  std::cauchy_distribution<double> heavy(0, 1);
  RobustScale scale;
  std::vector<double> past;
  double worst = 0;
  for (int i = 0; i < 1000; ++i) {
    const double value = std::abs(heavy(engine));
    if (!past.empty())
      worst = std::max(worst, std::abs(scale.standing(value) - standing_by_sorting(past, value)));
    scale.add(value, i * 0.04);
    past.push_back(value);
    if (past.size() > RobustScale::kSamples) past.erase(past.begin());
  }
  EXPECT_LT(worst, 1e-9);
}

TEST(RobustScale, IsNotMovedByAFewWildValues) {
  RobustScale calm, disturbed;
  std::mt19937_64 engine(2);
  std::normal_distribution<double> normal(0, 1);
  for (int i = 0; i < 256; ++i) {
    const double value = 10 + normal(engine);
    calm.add(value, i * 0.04);
    disturbed.add(i % 10 == 0 ? 1e9 : value, i * 0.04);
  }
  EXPECT_NEAR(calm.standing(15), disturbed.standing(15), 1.5);
}

TEST(RobustScale, CoversTheSameTimeAtAnyFrameRate) {
  // 250 frames a second: only every tenth value is kept, so 1000 values older than the window still count.
  RobustScale scale;
  for (int i = 0; i < 2000; ++i) scale.add(0, i * 0.004);
  for (int i = 0; i < 100; ++i) scale.add(10, 8 + i * 0.004);
  EXPECT_GT(scale.standing(10), 10) << "0.4 s of new values must not have replaced 8 s of old ones";
}

TEST(RobustScale, RaisesNoAlarmBeforeItKnowsAnything) {
  RobustScale scale;
  EXPECT_EQ(scale.standing(123), 0);
  scale.add(1, 0);
  EXPECT_LT(scale.standing(2), 3);
}

}  // namespace
}  // namespace longtake
