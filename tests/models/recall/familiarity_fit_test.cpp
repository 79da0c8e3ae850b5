#include "models/train/familiarity_fit.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "models/train/random.h"

namespace longtake {
namespace {

// Answers as often right as odds of these weights say.
std::vector<FittedAnswer> drawn(const std::array<double, 3>& weights, int count) {
  FamiliarityScale scale;
  scale.weights = weights;
  Random random{5};
  std::vector<FittedAnswer> out;
  for (int i = 0; i < count; ++i) {
    const Evidence evidence{std::exp(random.uniform(-3, 0.5)), std::exp(random.uniform(-1, 0.5))};
    out.push_back({evidence, random.chance(scale.familiarity(evidence))});
  }
  return out;
}

TEST(FitOdds, FindsTheWeightsThatAnswersWereDrawnFrom) {
  const std::array<double, 3> weights{-2, 1.5, -1};
  const auto fitted = fit_odds(drawn(weights, 20000));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(fitted[i], weights[i], 0.15) << i;
}

// What weights that were fitted elsewhere lack for seconds alone.
TEST(FitSeveral, FindsWhatIsToBeAddedForSeconds) {
  FamiliarityScale scale;
  scale.weights = {-2, 1.5, -1};
  for (const double several : {-2.5, 0.0, 1.5}) {
    FamiliarityScale moved = scale;
    moved.several = several;
    Random random{6};
    std::vector<FittedAnswer> answers;
    for (int i = 0; i < 20000; ++i) {
      const Evidence evidence{std::exp(random.uniform(-3, 0.5)), std::exp(random.uniform(-1, 0.5)), 5};
      answers.push_back({evidence, random.chance(moved.familiarity(evidence))});
    }
    for (int i = 0; i < 5000; ++i) answers.push_back({{0.5, 0.5, 1}, true});  // pictures say nothing about it
    EXPECT_NEAR(fit_several(answers, scale), several, 0.1);
    scale.several = 7;  // what it was before is no start either
  }
}

TEST(FitSeveral, StaysFiniteAndIsNoneWithoutSeconds) {
  FamiliarityScale scale;
  EXPECT_EQ(fit_several({}, scale), 0);
  EXPECT_EQ(fit_several(std::vector<FittedAnswer>{{{0.1, 1, 1}, false}}, scale), 0);
  scale.several = fit_several(std::vector<FittedAnswer>(50, {{1, 1, 4}, true}), scale);
  EXPECT_TRUE(std::isfinite(scale.several));
  EXPECT_GT(scale.familiarity({1, 1, 4}), 0.99);
}

TEST(FitOdds, StayFiniteWhereAllIsToldApart) {
  std::vector<FittedAnswer> answers;
  for (int i = 1; i <= 20; ++i) answers.push_back({{i <= 10 ? 0.01 * i : 0.1 * i, 1}, i <= 10});
  const auto fitted = fit_odds(answers);
  for (const double weight : fitted) EXPECT_TRUE(std::isfinite(weight));
  FamiliarityScale scale;
  scale.weights = fitted;
  EXPECT_GT(scale.familiarity({0.05, 1}), 0.9);
  EXPECT_LT(scale.familiarity({1.8, 1}), 0.1);
}

}  // namespace
}  // namespace longtake
