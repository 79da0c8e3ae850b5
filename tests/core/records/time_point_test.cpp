#include "core/records/time_point.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longtake {
namespace {

std::string shown(const Rational& number) {
  return std::to_string(number.num) + "/" + std::to_string(number.den);
}

// "num/den", "@pts" or "refused".
std::string time_of(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return "refused";
  if (const auto* pts = std::get_if<std::int64_t>(&time->at)) return "@" + std::to_string(*pts);
  return shown(std::get<Rational>(time->at));
}

std::string fps_of(std::string_view text) {
  const auto fps = parse_fps(text);
  return fps ? shown(*fps) : "refused";
}

TEST(ParseTime, ReadsSecondsExactly) {
  EXPECT_EQ(time_of("0"), "0/1");
  EXPECT_EQ(time_of("12"), "12/1");
  EXPECT_EQ(time_of("12.5"), "25/2");
  EXPECT_EQ(time_of("12.5s"), "25/2");
  EXPECT_EQ(time_of("007.10"), "71/10");
  EXPECT_EQ(time_of("0.1"), "1/10");
  EXPECT_EQ(time_of("0.000000001"), "1/1000000000");
  EXPECT_EQ(time_of("1000000000.999999999"), "1000000000999999999/1000000000");
}

TEST(ParseTime, ReadsClocks) {
  EXPECT_EQ(time_of("00:00:12.500"), "25/2");
  EXPECT_EQ(time_of("1:02:03"), "3723/1");
  EXPECT_EQ(time_of("2:05"), "125/1");
  EXPECT_EQ(time_of("90:00"), "5400/1");
  EXPECT_EQ(time_of("100:59:59.25"), "1454397/4");
  EXPECT_EQ(time_of("277777:46:40"), "1000000000/1");
}

TEST(ParseTime, ReadsTimeStampsOfTheStream) {
  EXPECT_EQ(time_of("@0"), "@0");
  EXPECT_EQ(time_of("@-3600"), "@-3600");
  EXPECT_EQ(time_of("@9223372036854775807"), "@9223372036854775807");
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"",
                           "s",
                           ".",
                           ".5",
                           "5.",
                           "-1",
                           "+1",
                           "1,5",
                           " 1",
                           "1 ",
                           "1ss",
                           "1m",
                           "1e3",
                           "0x10",
                           "nan",
                           "inf",
                           "1.2.3",
                           "1:2:3",
                           "1:60",
                           "1:60:00",
                           "1:00:60",
                           ":30",
                           "1:",
                           "1::30",
                           "1:2",
                           "1:002",
                           "1:02s",
                           "1:2:03",
                           "0:1:02:03",
                           "1:02:03.",
                           "1:-2",
                           "1:02:.5",
                           "1000000001",
                           "@",
                           "@+1",
                           "@1.5",
                           "@1s",
                           "@ 1",
                           "@@1",
                           "277777:46:41x",
                           "0.0000000001",
                           "99999999999999999999",
                           "277778:00:00",
                           "16666667:00",
                           "@9223372036854775808",
                           "277777:46:41",
                           "277777:59:00",
                           "1:02:03.0000000001"}) {
    EXPECT_EQ(time_of(text), "refused") << text;
  }
}

TEST(ParseTime, SaysWhatItTakes) {
  const auto time = parse_time("soon\n");
  ASSERT_FALSE(time);
  EXPECT_EQ(time.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(time.error().message,
            "cannot read the time \"soon?\": it is none of 12.5, 12.5s, 00:00:12.500 and @pts");
  EXPECT_LT(parse_time(std::string(5000, 'x')).error().message.size(), 200u);
}

TEST(ParseFps, ReadsRatesExactly) {
  EXPECT_EQ(fps_of("all"), "0/1");
  EXPECT_EQ(fps_of("25"), "25/1");
  EXPECT_EQ(fps_of("12.5"), "25/2");
  EXPECT_EQ(fps_of("30000/1001"), "30000/1001");
  EXPECT_EQ(fps_of("50/2"), "25/1");
  EXPECT_EQ(fps_of("0.1"), "1/10");
  EXPECT_EQ(fps_of("1000"), "1000/1");
}

TEST(ParseFps, RefusesEverythingElse) {
  for (const char* text :
       {"", "ALL", "0", "0.0", "0/5", "5/0", "0/0", "-5", "1/", "/1", "1/2/3", "1.5/2", "1000.1", "1001",
        "10001/10", "nan", "25 fps", "1/1000000001", "1000000001/1000000001"}) {
    EXPECT_EQ(fps_of(text), "refused") << text;
  }
  EXPECT_EQ(parse_fps("fast").error().kind, ErrorKind::kUsage);
  EXPECT_THAT(parse_fps("fast").error().message, testing::HasSubstr("\"fast\""));
}

}  // namespace
}  // namespace longtake
