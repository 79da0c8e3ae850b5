#include "core/records/polygon.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longtake {
namespace {

std::string corners(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + std::string("0.5,0.25");
  return text;
}

TEST(ParsePolygon, ReadsCornersInTheirOrder) {
  const auto polygon = parse_polygon("0,0 1,0.5 0.25,1");
  ASSERT_TRUE(polygon) << polygon.error().message;
  EXPECT_EQ(*polygon, (Polygon{{0, 0}, {1, 0.5}, {0.25, 1}}));
}

TEST(ParsePolygon, TakesThreeToSixtyFourCorners) {
  EXPECT_FALSE(parse_polygon(corners(2)));
  EXPECT_TRUE(parse_polygon(corners(3)));
  EXPECT_TRUE(parse_polygon(corners(kMostCorners)));
  EXPECT_FALSE(parse_polygon(corners(kMostCorners + 1)));
}

TEST(ParsePolygon, RefusesWhatIsNoPairOfFractions) {
  for (const char* bad : {"", " ", "x", "0.5", "0.5,", ",0.5", "0.5;0.5", "1.01,0", "-0.1,0", "nan,0",
                          "inf,0", "0,0,0", "0 ,0", "0.5,0.5\t0.5,0.5"}) {
    const auto polygon = parse_polygon(std::string("0,0 1,0 1,1 ") + bad);
    ASSERT_FALSE(polygon) << bad;
    EXPECT_EQ(polygon.error().kind, ErrorKind::kUsage);
  }
  EXPECT_FALSE(parse_polygon("0,0  1,0 1,1")) << "single spaces";
}

TEST(ParsePolygon, NamesTheCornerThatIsWrong) {
  EXPECT_EQ(parse_polygon("0,0 1,2 1,1").error().message,
            "cannot read the region \"0,0 1,2 1,1\": \"1,2\" is not two numbers from 0 to 1");
}

}  // namespace
}  // namespace longtake
