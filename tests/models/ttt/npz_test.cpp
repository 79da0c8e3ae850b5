// The .npz reader and the yardstick of the golden files.
#include "models/golden/npz.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "models/golden/subjects.h"

namespace longtake {
namespace {

std::filesystem::path golden(const char* name) {
  return std::filesystem::path(LONGTAKE_SOURCE_DIR) / "tests/data/golden" / name;
}

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<std::byte> out(text.size());
  std::memcpy(out.data(), text.data(), text.size());
  return out;
}

TEST(Npz, ReadsNumbersShapesAndText) {
  const auto file = read_npz(golden("core_lin_hd16_h2_L48.npz"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_NE(file->at("config").text.find("\"mini_batch_size\": 16"), std::string::npos);
  EXPECT_EQ(file->at("XQ").shape, (std::vector<std::int64_t>{2, 2, 3, 16, 16}));
  EXPECT_EQ(file->at("XQ").values.size(), 3072u);
  EXPECT_TRUE(file->at("XQ").is_single);
  EXPECT_FALSE(file->at("out64").is_single);
  EXPECT_TRUE(file->at("loss64").shape.empty());
  EXPECT_EQ(file->at("loss64").values.size(), 1u);
  // The same number in both precisions.
  EXPECT_NEAR(file->at("loss64").values[0], file->at("loss32").values[0], 1e-3);
}

TEST(Npz, SaysWhatIsWrongWithAFile) {
  const auto missing = read_npz("/no/such/file.npz");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kInput);
  EXPECT_NE(missing.error().message.find("/no/such/file.npz"), std::string::npos);
  const std::vector<std::byte> text(100, std::byte{'x'});
  const auto other = parse_npz(text, "x.npz");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message, "cannot read \"x.npz\": it is not a zip archive");
}

TEST(Npz, SurvivesAnyCut) {
  const auto whole = bytes_of(golden("spec_inner_loss.npz"));
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 50) {
    EXPECT_FALSE(parse_npz(std::span(whole).first(length), "cut").ok()) << length;
  }
}

TEST(Npz, SurvivesAnyDamage) {
  const auto whole = bytes_of(golden("spec_inner_loss.npz"));
  const auto clean = parse_npz(whole, "whole");
  ASSERT_TRUE(clean.ok());
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    auto damaged = whole;
    // Half of the hits go to the directory at the end and the first header, where the sizes are.
    const std::size_t at = round % 2 == 0
                               ? damaged.size() - 1 - random() % std::min<std::size_t>(600, damaged.size())
                               : random() % damaged.size();
    damaged[at] ^= std::byte(1 << random() % 8);
    refused +=
        parse_npz(damaged, "damaged").ok() ? 0 : 1;  // it may survive in a date or a comment, but not crash
  }
  EXPECT_GT(refused, 1500);
}

SelftestLine line(double error, double limit) {
  std::vector<SelftestLine> lines;
  GoldenFile file;
  Lines(lines, file, "test").add("what", error, limit);
  return lines[0];
}

TEST(Yardstick, FailsWhatIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(line(1e-9, 1e-6).ok);
  EXPECT_FALSE(line(1e-5, 1e-6).ok);
  EXPECT_FALSE(line(nan, 1e-6).ok);
  EXPECT_TRUE(std::isnan(largest_error(std::vector<double>{1, nan, 3}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(largest_error(std::vector<double>{1, nan, 9}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(largest_error(std::vector<double>{1, 2, 3}, {1, nan, 3})));
  EXPECT_TRUE(std::isnan(largest_error(std::vector<double>{1, 2}, {1, 2, 3})));
  EXPECT_EQ(largest_error(std::vector<double>{1, nan, 3}, {1, nan, 3.5}), 0.5);
}

TEST(Yardstick, ReportNamesItsWorstLineAndIsJson) {
  SelftestReport report;
  EXPECT_FALSE(report.ok()) << "nothing checked is not a pass";
  EXPECT_EQ(report.worst(), nullptr);
  report.lines = {line(1e-7, 1e-6), line(9e-7, 1e-6)};
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.worst()->max_error, 9e-7);
  report.lines.push_back(line(std::numeric_limits<double>::quiet_NaN(), 1));
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.worst(), &report.lines[2]);
  const std::string json = report.to_json();
  EXPECT_NE(json.find(R"("max_error":9e-07,"limit":1e-06,"ok":true)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("max_error":null,"limit":1.0,"ok":false}],"worst":)"), std::string::npos) << json;
  EXPECT_TRUE(json.ends_with(R"("ok":false})")) << json;
}

TEST(Yardstick, RefusesAFolderWithoutFilesOrWithADamagedOne) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "longtake_golden_test";
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(run_golden(folder).ok());
  std::filesystem::create_directories(folder);
  EXPECT_FALSE(run_golden(folder).ok());
  std::filesystem::copy_file(golden("spec_inner_loss.npz"), folder / "spec_inner_loss.npz");
  const auto lonely = run_golden(folder);
  ASSERT_FALSE(lonely.ok());
  EXPECT_NE(lonely.error().message.find("beside it"), std::string::npos) << lonely.error().message;
  std::ofstream(folder / "bad.npz") << "nothing";
  EXPECT_FALSE(run_golden(folder).ok());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace longtake
