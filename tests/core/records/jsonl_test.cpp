#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/records/records.h"
#include "tests/core/records/sample_records.h"

namespace longtake {
namespace {

using testing::HasSubstr;

std::string line_of(const Record& record) {
  std::string out;
  append_json_line(record, out);
  return out;
}

// The text of one number of the type, out of a record that has it.
std::string text_of(float number) {
  const std::string line = line_of(FrameRecord{.surprise = number});
  const std::size_t start = line.find("\"surprise\":") + 11;
  return line.substr(start, line.find(',', start) - start);
}

std::string text_of(double number) {
  const std::string line = line_of(DiscontinuityRecord{.gap_s = number});
  const std::size_t start = line.find("\"gap_s\":") + 8;
  return line.substr(start, line.find('}', start) - start);
}

std::string text_of(const std::string& text) {
  const std::string line = line_of(ErrorRecord{.message = text});
  return line.substr(26, line.size() - 28);
}

TEST(JsonLines, HaveTheKeysOfTheSchemaInItsOrder) {
  const std::vector<Record> records = sample_records();
  const std::vector<std::string> lines = {
      R"({"type":"header","schema":1,"longtake":"0.1.0","model":"0123456789ab","source":"clip.mp4","width":720,"height":405,)"
      R"("time_base":[1,90000],"fps":"all","layers":2,"options":{"scene":true,"tokens":16,"rate":0.5,"device":"cpu"},"trained":true})",
      R"({"type":"frame","frame":0,"pts":0,"t":0.0,"layers":[{"before":1.93,"after":1.21,"drift":0.004},)"
      R"({"before":1.93,"after":1.21,"drift":0.004}]})",
      R"({"type":"frame","frame":1,"pts":3600,"t":0.04,"surprise":0.41,"novelty":0.02,"boundary":0.01,)"
      R"("layers":[{"before":1.93,"after":1.21,"drift":0.004},{"before":1.93,"after":1.21,"drift":0.004}],)"
      R"("scene":[["street car",0.31]],"labels":[["walk",0.88]]})",
      R"({"type":"event","kind":"boundary","frame":75,"pts":270000,"t":3.0,"score":7.3,"confidence":0.97,"span":[74,76]})",
      R"({"type":"segment","first":0,"last":74,"pts":[0,266400],"t":[0.0,2.96]})",
      R"({"type":"segment","first":75,"last":80,"pts":[270000,288000],"t":[3.0,3.2],"labels":[["walk",0.88]],)"
      R"("scene":[["street car",0.31]],"surprise":{"mean":0.3,"max":2.1}})",
      R"({"type":"discontinuity","reason":"reconnect","frame":81,"pts":450000,"gap_s":1.8})",
      R"({"type":"frame","frame":81,"pts":450000,"t":5.0,"surprise":null,"novelty":0.5,"sustained":4.5,)"
      R"("novelty_map":[0.0,1.5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0],)"
      R"("familiarity":0.75,"deviation":2.5,)"
      R"("deviation_map":[-0.5,0.0,2.5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0],)"
      R"("layers":[{"before":1.93,"after":1.21,"drift":0.004},{"before":null,"after":0.0,"drift":0.0}],"scene":[],"signals":{"pixel":0.25,"flow":0.0}})",
      R"({"type":"error","message":"the stream stopped","pts":450000})",
      R"({"type":"error","message":"cannot write \"r.jsonl\": No space left on device"})",
      R"({"type":"end","reason":"end_of_stream","frames":3,"dropped":{"queue":3,"late":1},"decode_errors":0,"guards":0,)"
      R"("events":1,"state_bytes":1058816})",
  };
  ASSERT_EQ(records.size(), lines.size());
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(line_of(records[i]), lines[i] + "\n");
}

TEST(JsonLines, AppendBehindWhatIsThere) {
  std::string out = "{\"mine\":1}\n{";
  append_json_line(ErrorRecord{.message = ""}, out);
  EXPECT_EQ(out, "{\"mine\":1}\n{{\"type\":\"error\",\"message\":\"\"}\n");
}

TEST(JsonLines, KeepEmptyListsAndObjects) {
  EXPECT_EQ(line_of(FrameRecord{}), "{\"type\":\"frame\",\"frame\":0,\"pts\":0,\"t\":0.0,\"layers\":[]}\n");
  EXPECT_THAT(line_of(EndRecord{}), HasSubstr("\"dropped\":{}"));
  EXPECT_THAT(line_of(HeaderRecord{}), HasSubstr("\"options\":{},\"trained\":false}"));
}

TEST(JsonLines, WriteNumbersInTheirShortestForm) {
  EXPECT_EQ(text_of(0.1F), "0.1");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(static_cast<double>(0.1F)), "0.10000000149011612");
  EXPECT_EQ(text_of(16777216.0F), "16777216.0");
  EXPECT_EQ(text_of(3.0), "3.0");
  EXPECT_EQ(text_of(-0.5), "-0.5");
  EXPECT_EQ(text_of(1e-7F), "1e-07");
  EXPECT_EQ(text_of(1e300), "1e+300");
  EXPECT_EQ(text_of(std::numeric_limits<float>::denorm_min()), "1e-45");
  EXPECT_EQ(text_of(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(JsonLines, WriteZeroWithoutASign) {
  EXPECT_EQ(text_of(0.0), "0.0");
  EXPECT_EQ(text_of(-0.0), "0.0");
  EXPECT_EQ(text_of(-0.0F), "0.0");
}

TEST(JsonLines, WriteNullForWhatIsNoNumber) {
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(text_of(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(text_of(-std::numeric_limits<float>::infinity()), "null");
}

// The C library reads what fmt wrote: two programs by different hands.
TEST(JsonLines, WriteNumbersThatReadBackTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t bits = random();
    double wide = 0;
    float narrow = 0;
    std::memcpy(&wide, &bits, sizeof wide);
    std::memcpy(&narrow, &bits, sizeof narrow);
    if (std::isfinite(wide)) {
      const std::string text = text_of(wide);
      ASSERT_EQ(std::strtod(text.c_str(), nullptr), wide) << text;
      ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text;
    }
    if (std::isfinite(narrow)) {
      const std::string text = text_of(narrow);
      ASSERT_EQ(std::strtof(text.c_str(), nullptr), narrow) << text;
      ASSERT_LE(text.size(), 20u) << text << " is not written with a float's own precision";
    }
  }
}

TEST(JsonLines, EscapeText) {
  EXPECT_EQ(text_of("say \"x\" \\ y/z"), "\"say \\\"x\\\" \\\\ y/z\"");
  EXPECT_EQ(text_of("a\nb\tc\rd\be\f"), "\"a\\nb\\tc\\rd\\be\\f\"");
  EXPECT_EQ(text_of(std::string("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(text_of("zwölf 映画 🎬"), "\"zwölf 映画 🎬\"");
}

TEST(JsonLines, ReplaceBytesThatAreNoText) {
  EXPECT_EQ(text_of("a\xff"
                    "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(text_of("\xf0\x9f\x8e"), "\"\xEF\xBF\xBD\"") << "a character cut off counts once";
}

}  // namespace
}  // namespace longtake
