#include "models/eval/familiarity.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "models/fresh_weights.h"

namespace longtake {
namespace {

TEST(CalibrationError, IsTheMeanDistanceBetweenWhatWasSaidAndWhatWas) {
  // Four said .75, three of them rightly: nothing off. Two said .2, of which one was seen: .3 off.
  const std::vector<Judged> answers{{0.75, true}, {0.75, true}, {0.75, true}, {0.75, false}, {0.2, true}, {0.2, false}};
  EXPECT_NEAR(calibration_error(answers), 2 * 0.3 / 6, 1e-12);
  EXPECT_NEAR(calibration_error(std::vector<Judged>{{1, true}, {0, false}}), 0, 1e-12);
  EXPECT_THROW(calibration_error({}), std::invalid_argument);
}

TEST(FamiliarityFigures, AreByAgeAndAgainstAllThatWasNotSeen) {
  std::vector<AskedOnce> asked;
  for (int i = 0; i < 8; ++i) asked.push_back({true, i < 4 ? 0.9 : 0.3, i < 4 ? 2.0 : -1.0, 10.0 * i});
  for (int i = 0; i < 4; ++i) asked.push_back({false, 0.3, i < 2 ? -2.0 : 0.0, 0});
  const auto figures = familiarity_figures(asked);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->seen, 8);
  EXPECT_EQ(figures->unseen, 4);
  EXPECT_NEAR(figures->auroc, 0.75, 1e-12);
  ASSERT_EQ(figures->decay.size(), 4U);
  EXPECT_NEAR(figures->decay[0].age_s, 5, 1e-12);
  EXPECT_NEAR(figures->decay[0].auroc, 1, 1e-12);
  EXPECT_NEAR(figures->decay[3].age_s, 65, 1e-12);
  EXPECT_NEAR(figures->decay[3].auroc, 0.5, 1e-12);
  EXPECT_NEAR(figures->decay[3].familiarity, 0.3, 1e-12);
  EXPECT_NEAR(figures->calibration_error, (4 * 0.1 + 8 * std::abs(0.3 - 0.5)) / 12, 1e-12);
  EXPECT_FALSE(familiarity_figures(std::span(asked).first(8)));
}

TEST(LearnedDistance, IsZeroOfEqualsAndRootTwoOfStrangers) {
  RecallConfig config;
  config.keys = config.features = config.hidden = 8;
  auto weights = load_recall(config, 2, fresh_recall(config, 2, 1));
  ASSERT_TRUE(weights);
  RecallState a = start_state(*weights), b = start_state(*weights);
  EXPECT_TRUE(std::isnan(learned_distance(*weights, a, b)));
  a.halves[0][1] += 2;
  EXPECT_NEAR(learned_distance(*weights, a, a), 0, 1e-12);
  b.halves[1][5] += 2;
  EXPECT_NEAR(learned_distance(*weights, a, b), std::sqrt(2.0), 1e-6);
}

}  // namespace
}  // namespace longtake
