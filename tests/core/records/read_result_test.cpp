#include "core/records/read_result.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/records/parse.h"
#include "tests/core/records/sample_records.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::HasSubstr;

class ReadResult : public testing::Test {
 protected:
  Result<bool> read(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    records_.clear();
    return read_result(file_, [&](Record&& record) { records_.push_back(std::move(record)); });
  }
  std::string failure(const std::string& text) {
    const auto got = read(text);
    return got ? "accepted" : got.error().message;
  }

  TempDir folder_;
  std::filesystem::path file_ = folder_ / "clip.jsonl";
  std::vector<Record> records_;
  std::string all_ = [] {
    std::string out;
    for (const Record& record : sample_records()) append_json_line(record, out);
    return out;
  }();
  std::string header_ = all_.substr(0, all_.find('\n') + 1);
};

TEST_F(ReadResult, GivesEveryRecordInOrder) {
  const auto got = read(all_);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(*got) << "the end record is there";
  const auto wanted = sample_records();
  ASSERT_EQ(records_.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(records_[i].index(), wanted[i].index());
}

TEST_F(ReadResult, PassesOverALastLineThatWasCutOff) {
  const auto got = read(all_.substr(0, all_.size() - 9));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_FALSE(*got) << "without the end record nothing says that it is whole";
  EXPECT_EQ(records_.size(), sample_records().size() - 1);
  ASSERT_TRUE(read(all_.substr(0, all_.size() - 1))) << "only its line break is missing";
  EXPECT_EQ(records_.size(), sample_records().size());
}

TEST_F(ReadResult, PassesOverWhatItDoesNotKnow) {
  const auto got = read(header_ + "{\"type\":\"stats\",\"fps\":3}\n");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(records_.size(), 1U);
}

TEST_F(ReadResult, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(failure(header_ + "{\"type\":\"fra\n" + header_), HasSubstr("line 2"));
  EXPECT_THAT(failure("{\"type\":\"stats\"}\n"), HasSubstr("does not begin with a header"));
  std::string other = header_;
  other.replace(other.find("\"schema\":1"), 10, "\"schema\":2");
  EXPECT_THAT(failure(other), HasSubstr("schema is not 1"));
  EXPECT_THAT(failure(""), HasSubstr("empty"));
  EXPECT_THAT(failure("no result at all"), HasSubstr("clip.jsonl"));
  EXPECT_THAT(failure(std::string(3 * kMaxJsonLineBytes, 'x')), HasSubstr("longer than any record"));
  const auto missing = read_result(folder_ / "missing.jsonl", [](Record&&) {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kInput);
  EXPECT_THAT(missing.error().message, HasSubstr("missing.jsonl"));
}

}  // namespace
}  // namespace longtake
