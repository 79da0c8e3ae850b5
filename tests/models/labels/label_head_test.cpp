#include "models/labels/label_head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace longtake {
namespace {

// Points of the plane.
LabelExample example(std::string name, std::vector<float> points) {
  return {std::move(name), "v", "", 0, 1, std::move(points)};
}

// Frames scatter along x much more than along y. The means are (0, 0) and (2, 3).
std::vector<LabelExample> streaks() {
  std::vector<LabelExample> out;
  for (const float shift : {-0.1F, 0.0F, 0.1F}) {
    out.push_back(example("low", {-3 + shift, 0, -1 + shift, 0.01F, 1 + shift, -0.01F, 3 + shift, 0}));
    out.push_back(example("high", {-1 - shift, 3, 1 - shift, 3.01F, 3 - shift, 2.99F, 5 - shift, 3}));
  }
  return out;
}

std::string best(const LabelHead& head, std::vector<float> point) {
  const auto scores = head.judge(point);
  std::size_t at = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) at = scores[i] > scores[at] ? i : at;
  return head.names()[at];
}

TEST(LabelHead, TheMetricIsThatOfTheFormula) {
  // Two labels, means (0, 0) and (4, 0); rows around them (±1, 0) and (0, ±1), so S = I / 2, trace 1, rank 2, isotropic
  // 0.3 · 1 / 2 = 0.15, and the metric 0.7 / 2 + 0.15 = 0.5 in every direction.
  const std::vector<double> rows{-1, 0, 1, 0, 4, -1, 4, 1};
  const LabelHead::Distances distances(rows, {0, 0, 1, 1}, {0, 0, 1, 1}, 2, 2);
  const auto away = distances(std::vector<double>{0, 3});
  EXPECT_NEAR(away[0], 3 / std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(away[1], 5 / std::sqrt(0.5), 1e-12);
}

TEST(LabelHead, ALabelsMeanIsThatOfItsExamplesHoweverLongTheyAre) {
  const std::vector<double> rows{0, 0, 0, 0, 0, 0, 8, 0};
  const LabelHead::Distances distances(rows, {0, 0, 0, 0}, {0, 0, 0, 1}, 1, 2);
  EXPECT_NEAR(distances(std::vector<double>{4, 0})[0], 0, 1e-6);
}

TEST(LabelHead, DirectionsInWhichALabelsOwnFramesDifferCountForLittle) {
  const auto head = LabelHead::learn(streaks(), 2);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->names(), (std::vector<std::string>{"low", "high", "unknown"}));
  EXPECT_EQ(best(*head, {0, 0}), "low");
  EXPECT_EQ(best(*head, {2, 3}), "high");
  EXPECT_EQ(best(*head, {2.8F, 0.8F}), "low");  // in plain distance the other mean is nearer: 2.3 against 2.9
}

TEST(LabelHead, WhatIsLikeNoExampleIsUnknown) {
  const auto head = LabelHead::learn(streaks(), 2);
  ASSERT_TRUE(head);
  EXPECT_EQ(best(*head, {0, 20}), "unknown");
  EXPECT_EQ(best(*head, {0, -20}), "unknown");
  EXPECT_EQ(best(*head, {2000, 0}), "unknown");
}

TEST(LabelHead, WhatSeveralLabelsClaimGoesToTheNearer) {
  // "many" has looks so far apart that "one", which has a single look, lies no further from their mean than they do.
  const std::vector<LabelExample> examples{example("one", {0, 3, 0.1F, 3, -0.1F, 3, 0, 3.1F, 0, 2.9F, 0, 3}),
                                           example("many", {-4, 0, -4.1F, 0, -4, 0.1F}), example("many", {4, 0, 4.1F, 0, 4, 0.1F}),
                                           example("many", {0, -4, 0.1F, -4, 0, -4.1F})};
  const auto head = LabelHead::learn(examples, 2);
  ASSERT_TRUE(head);
  const auto scores = head->judge(std::vector<float>{0.05F, 3});
  EXPECT_GT(scores[0], 3 * scores[1]) << scores[0] << ", " << scores[1] << ", " << scores[2];
  EXPECT_EQ(best(*head, {-4, 0}), "many");
  EXPECT_EQ(best(*head, {4, 0}), "many");
}

TEST(LabelHead, ScoresAddToOneAndFallWithDistance) {
  const auto head = LabelHead::learn(streaks(), 2);
  ASSERT_TRUE(head);
  float before = 1;
  for (const float y : {0.0F, -0.5F, -1.0F, -2.0F, -4.0F}) {
    const auto scores = head->judge(std::vector<float>{0, y});
    EXPECT_NEAR(scores[0] + scores[1] + scores[2], 1, 1e-6);
    EXPECT_LE(scores[0], before);
    before = scores[0];
  }
  EXPECT_LT(before, 0.01F);
}

TEST(LabelHead, ASingleLabelAlsoHasAnEdge) {
  const auto head = LabelHead::learn({example("low", {-1, 0, 1, 0}), example("low", {-1, 0.1F, 1, 0.2F})}, 2);
  ASSERT_TRUE(head);
  EXPECT_EQ(best(*head, {0, 0.1F}), "low");
  EXPECT_EQ(best(*head, {0, 50}), "unknown");
}

TEST(LabelHead, OneLongExampleOfALabelIsEnough) {
  const auto head = LabelHead::learn({example("a", {0, 0, 0, 1, 1, 0, 1, 1}), example("b", {9, 9, 9, 8, 8, 9, 8, 8})}, 2);
  ASSERT_TRUE(head);
  EXPECT_EQ(best(*head, {0.5F, 0.5F}), "a");
  EXPECT_EQ(best(*head, {8.5F, 8.5F}), "b");
  EXPECT_EQ(best(*head, {-60, 60}), "unknown");
}

TEST(LabelHead, OneFrameOfEachLabelIsNot) {
  EXPECT_EQ(LabelHead::learn({example("a", {0, 0}), example("b", {9, 9})}, 2).error().kind, ErrorKind::kModel);
  EXPECT_EQ(LabelHead::learn({}, 2).error().kind, ErrorKind::kModel);
}

TEST(LabelHead, FramesThatDoNotDifferAtAllAreLearned) {
  const auto head = LabelHead::learn({example("a", {1, 0, 1, 0}), example("a", {1, 0}), example("b", {0, 1, 0, 1})}, 2);
  ASSERT_TRUE(head);
  EXPECT_EQ(best(*head, {1, 0}), "a");
  EXPECT_EQ(best(*head, {0, 1}), "b");
}

TEST(LabelHead, LearnsTheSameEachTimeAndFromManyExamplesToo) {
  std::vector<LabelExample> many;
  for (int i = 0; i < 700; ++i) {
    const auto x = static_cast<float>(i % 7);
    many.push_back(example(i % 2 == 0 ? "even" : "odd", {x, i % 2 == 0 ? 0.0F : 5.0F, x + 1, i % 2 == 0 ? 0.1F : 5.1F}));
  }
  const auto one = LabelHead::learn(many, 2);
  const auto two = LabelHead::learn(many, 2);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->judge(std::vector<float>{3, 0}), two->judge(std::vector<float>{3, 0}));
  EXPECT_EQ(best(*one, {3, 0}), "even");
}

TEST(LabelHead, RefusesAFeatureOfAnotherWidth) {
  const auto head = LabelHead::learn(streaks(), 2);
  EXPECT_THROW(head->judge(std::vector<float>{1, 2, 3}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
