#include "core/records/parse.h"

#include <bit>
#include <cmath>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/records/sample_records.h"

namespace longtake {
namespace {

using testing::HasSubstr;

std::string line_of(const Record& record) {
  std::string out;
  append_json_line(record, out);
  return out;
}

std::string failure_of(std::string_view line) {
  const auto record = parse_json_line(line);
  if (record) return "accepted";
  EXPECT_EQ(record.error().kind, ErrorKind::kInput);
  return record.error().message;
}

TEST(ParseJsonLine, GivesBackWhatWasWritten) {
  for (const Record& record : sample_records()) {
    const std::string line = line_of(record);
    const auto read = parse_json_line(line);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_TRUE(*read);
    EXPECT_EQ((*read)->index(), record.index());
    EXPECT_EQ(line_of(**read), line);
  }
}

TEST(ParseJsonLine, FillsEveryMember) {
  const auto read = parse_json_line(
      R"({"type":"frame","frame":7,"pts":-3,"t":0.25,"surprise":1.5,"layers":[{"before":1,"after":2.5,"drift":3}],)"
      R"("labels":[["a",0.5],["b",null]]})");
  ASSERT_TRUE(read) << read.error().message;
  const FrameRecord& frame = std::get<FrameRecord>(**read);
  EXPECT_EQ(frame.frame, 7);
  EXPECT_EQ(frame.pts, -3);
  EXPECT_EQ(frame.t, 0.25);
  EXPECT_EQ(frame.surprise, 1.5F);
  EXPECT_FALSE(frame.novelty || frame.boundary || frame.scene);
  ASSERT_EQ(frame.layers.size(), 1u);
  EXPECT_EQ(frame.layers[0].before, 1.0F) << "a whole number is a number";
  EXPECT_EQ(frame.layers[0].drift, 3.0F);
  ASSERT_EQ(frame.labels->size(), 2u);
  EXPECT_EQ((*frame.labels)[0].name, "a");
  EXPECT_TRUE(std::isnan((*frame.labels)[1].score));
}

// The reader goes by way of double, which must not change what a float was.
TEST(ParseJsonLine, GivesBackEveryFloatExactly) {
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    const float number = std::bit_cast<float>(bits);
    if (!std::isfinite(number)) continue;
    const auto read = parse_json_line(line_of(FrameRecord{.surprise = number}));
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(std::get<FrameRecord>(**read).surprise, number) << std::hex << bits;
  }
}

TEST(ParseJsonLine, KeepsTheOrderAndTypesOfOptions) {
  HeaderRecord header;
  header.options = {{"z", std::int64_t{1}}, {"a", 1.0}, {"m", true}, {"b", std::string("1")}};
  const auto read = parse_json_line(line_of(header));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<HeaderRecord>(**read).options, header.options);
}

TEST(ParseJsonLine, PassesOverKeysAndRecordsThatItDoesNotKnow) {
  EXPECT_TRUE(parse_json_line(R"({"later":[{}],"type":"error","message":"m","more":null})"));
  const auto stats = parse_json_line(R"({"type":"stats","fps":25.0})");
  ASSERT_TRUE(stats);
  EXPECT_FALSE(*stats);
}

TEST(ParseJsonLine, NamesWhatIsMissingOrWrong) {
  EXPECT_EQ(failure_of("{"), "not a record of a result: it is not a JSON object");
  EXPECT_EQ(failure_of("[]"), "not a record of a result: it is not a JSON object");
  EXPECT_EQ(failure_of(""), "not a record of a result: it is not a JSON object");
  EXPECT_EQ(failure_of("{}{}"), "not a record of a result: it is not a JSON object");
  EXPECT_EQ(failure_of("{}"), "not a record of a result: \"type\" is missing");
  EXPECT_EQ(failure_of(R"({"type":1})"), "not a record of a result: \"type\" is missing");
  EXPECT_EQ(failure_of(R"({"type":"error"})"),
            "not a record of a result: in its \"error\", \"message\" is missing");
  EXPECT_EQ(failure_of(R"({"type":"error","message":1})"),
            "not a record of a result: in its \"error\", \"message\" has a value of the wrong kind");
}

TEST(ParseJsonLine, RefusesValuesOfTheWrongKind) {
  const std::string whole = line_of(sample_records()[2]);
  const std::string header = line_of(sample_records()[0]);
  const auto changed = [](std::string line, const std::string& from, const std::string& to) {
    const std::size_t at = line.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return line.replace(at, from.size(), to);
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"pts\":3600", "\"pts\":3600.0"},
           {"\"pts\":3600", "\"pts\":9223372036854775808"},
           {"\"pts\":3600", "\"pts\":null"},
           {"\"t\":0.04", "\"t\":\"0.04\""},
           {"\"t\":0.04", "\"t\":true"},
           {"\"surprise\":0.41", "\"surprise\":1e39"},
           {"\"surprise\":0.41", "\"surprise\":[]"},
           {"\"drift\":0.004", "\"drif\":0.004"},
           {"[[\"walk\",0.88]]", "[[\"walk\"]]"},
           {"[[\"walk\",0.88]]", "[[\"walk\",0.88,1]]"},
           {"[[\"walk\",0.88]]", "{\"walk\":0.88}"},
           {"[[\"walk\",0.88]]", "[[1,0.88]]"},
           {"\"layers\":[{", "\"layers\":[3,{"},
       }) {
    EXPECT_THAT(failure_of(changed(whole, from, to)), HasSubstr("in its \"frame\"")) << to;
  }
  const std::string mapped = line_of(sample_records()[7]);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"[0.0,1.5,", "[1.5,"}, {"[0.0,1.5,", "[0.0,0.0,1.5,"}, {"[0.0,1.5,", "[\"0.0\",1.5,"}}) {
    EXPECT_THAT(failure_of(changed(mapped, from, to)), HasSubstr("\"novelty_map\"")) << to;
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"schema\":1", "\"schema\":2"},
           {"\"width\":720", "\"width\":2147483648"},
           {"\"time_base\":[1,90000]", "\"time_base\":[1]"},
           {"\"trained\":true", "\"trained\":1"},
           {"\"rate\":0.5", "\"rate\":[0.5]"},
           {"\"options\":{", "\"options\":[],\"x\":{"},
       }) {
    EXPECT_THAT(failure_of(changed(header, from, to)), HasSubstr("in its \"header\"")) << to;
  }
  EXPECT_THAT(failure_of(changed(header, "\"schema\":1", "\"schema\":2")), HasSubstr("its schema is not 1"));
}

TEST(ParseJsonLine, RefusesALineBeyondItsBound) {
  std::string line = R"({"type":"error","message":"")";
  line += std::string(kMaxJsonLineBytes - line.size() - 1, ' ') + "}";
  EXPECT_EQ(line.size(), kMaxJsonLineBytes);
  EXPECT_TRUE(parse_json_line(line));
  EXPECT_THAT(failure_of(line + "\n"), HasSubstr("longer than any record"));
}

TEST(ParseJsonLine, SurvivesDeepNesting) {
  const std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
  EXPECT_TRUE(parse_json_line(R"({"type":"error","message":"","x":)" + deep + "}"));
}

}  // namespace
}  // namespace longtake
