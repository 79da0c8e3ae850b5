#include "models/encoder/classes.h"

#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "models/encoder/encoder.h"

namespace longtake {
namespace {

TEST(ImagenetClasses, AreAThousandDifferentNames) {
  const auto names = imagenet_classes();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), 1000U);
  for (const auto name : names) EXPECT_FALSE(name.empty());
}

// Places of a few classes that are known from anywhere ImageNet is spoken of.
TEST(ImagenetClasses, StandInTheUsualOrder) {
  const auto names = imagenet_classes();
  EXPECT_EQ(names[0], "tench");
  EXPECT_EQ(names[207], "golden retriever");
  EXPECT_EQ(names[281], "tabby");
  EXPECT_EQ(names[440], "beer bottle");
  EXPECT_EQ(names[817], "sports car");
  EXPECT_EQ(names[999], "toilet tissue");
}

TEST(TopClasses, ComeLikeliestFirstAndEqualsInOrder) {
  std::vector<float> probabilities(1000, 0.0F);
  probabilities[817] = 0.5F;
  probabilities[999] = 0.2F;
  probabilities[0] = 0.2F;
  const auto top = top_classes(probabilities, 4);
  ASSERT_EQ(top.size(), 4U);
  EXPECT_EQ(top[0].name, "sports car");
  EXPECT_EQ(top[0].score, 0.5F);
  EXPECT_EQ(top[1].name, "tench");
  EXPECT_EQ(top[2].name, "toilet tissue");
  EXPECT_EQ(top[3].name, "goldfish");
  EXPECT_EQ(Encoder::top_classes_of(probabilities).front().name, "sports car");
}

TEST(TopClasses, AreAsManyAsThereAreAtMost) {
  EXPECT_EQ(top_classes(std::vector<float>(1000, 0.001F), 5000).size(), 1000U);
  EXPECT_TRUE(top_classes(std::vector<float>(1000, 0.001F), 0).empty());
}

TEST(TopClasses, RefuseAnotherNumberOfProbabilities) {
  EXPECT_THROW(top_classes(std::vector<float>(999, 0.0F), 3), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
