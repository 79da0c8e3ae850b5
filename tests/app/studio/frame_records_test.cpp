#include "app/studio/frame_records.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

std::string line_of(std::int64_t frame) {
  FrameRecord record;
  record.frame = frame;
  record.pts = 100 + 3 * frame;
  record.t = static_cast<double>(frame) / 25;
  record.surprise = static_cast<float>(frame);
  record.layers = {{1, 2, 3}};
  std::string out;
  append_json_line(record, out);
  return out;
}

class FrameRecordsTest : public testing::Test {
 protected:
  void write(std::string_view text, std::ios::openmode how = std::ios::app) {
    std::ofstream(file_, std::ios::binary | how) << text;
  }
  void write_frames(std::int64_t from, std::int64_t to, std::ios::openmode how = std::ios::app) {
    std::string text;
    for (std::int64_t i = from; i < to; ++i) {
      text += line_of(i);
      if (i % 100 == 0) append_json_line(EventRecord{"cut", i, 100 + 3 * i, 0, 5, 1, {i, i}}, text);
    }
    write(text, how);
  }
  std::optional<FrameRecord> ask(std::int64_t pts) {
    std::unique_lock lock(mutex_);
    answered_ = false;
    records_.want(pts);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return answered_; }));
    return found_;
  }
  void expect_frame(std::int64_t frame) {
    const auto found = ask(100 + 3 * frame);
    ASSERT_TRUE(found) << frame;
    EXPECT_EQ(found->frame, frame);
    EXPECT_EQ(found->surprise, static_cast<float>(frame));
  }

  const TempDir folder_;
  const std::filesystem::path file_ = folder_ / "result.jsonl";
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answered_ = false;
  std::optional<FrameRecord> found_;
  FrameRecords records_{file_,
                        [this](std::int64_t, std::optional<FrameRecord> record) {
                          const std::scoped_lock lock(mutex_);
                          found_ = std::move(record);
                          answered_ = true;
                          changed_.notify_all();
                        },
                        16};
};

TEST_F(FrameRecordsTest, FindsEveryFrameFromFewPlaces) {
  write("{\"type\":\"header\"}\n");
  write_frames(0, 3000);
  for (const std::int64_t frame : {0, 1, 2999, 1500, 17, 2500, 16, 2998}) ASSERT_NO_FATAL_FAILURE(expect_frame(frame));
  EXPECT_FALSE(ask(101));  // between two frames
  EXPECT_FALSE(ask(0));
  EXPECT_FALSE(ask(100 + 3 * 3000));
}

TEST_F(FrameRecordsTest, ReadsAFileThatGrows) {
  EXPECT_FALSE(ask(100));  // not there yet
  write_frames(0, 10);
  expect_frame(9);
  const std::string next = line_of(10);
  write(std::string_view(next).substr(0, next.size() / 2));
  EXPECT_FALSE(ask(130));
  write(std::string_view(next).substr(next.size() / 2));
  expect_frame(10);
  write_frames(11, 500);
  expect_frame(499);
}

TEST_F(FrameRecordsTest, NoticesThatTheFileWasBegunAnew) {
  write_frames(0, 500);
  expect_frame(400);
  write_frames(0, 50, std::ios::trunc);
  expect_frame(40);
  EXPECT_FALSE(ask(100 + 3 * 400));
}

}  // namespace
}  // namespace longtake
