#include "app/studio/player.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "tests/app/studio/clip.h"

namespace longtake {
namespace {

class PlayerTest : public testing::Test {
 protected:
  PlayerTest()
      : player_(clip(), 320, 180,
                {[](const StreamInfo&) {},
                 [this](const Error& error) {
                   const std::scoped_lock lock(mutex_);
                   failed_ = error.message;
                   changed_.notify_all();
                 },
                 [this](Player::Shown shown) {
                   const std::scoped_lock lock(mutex_);
                   shown_.push_back(std::move(shown));
                   changed_.notify_all();
                 }}) {}

  // Waits until a frame is shown that is as wanted.
  template <class Wanted>
  bool until(Wanted wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return !shown_.empty() && wanted(shown_.back()); });
  }
  bool until_pts(std::int64_t pts) {
    return until([&](const Player::Shown& shown) { return shown.pts == pts; });
  }

  const std::vector<std::int64_t> pts_ = clip_pts();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Player::Shown> shown_;
  std::string failed_;
  Player player_;
};

TEST_F(PlayerTest, ShowsTheFirstFrameInItsShape) {
  ASSERT_TRUE(until_pts(pts_.front()));
  const auto& shown = shown_.back();
  EXPECT_TRUE(shown.at_start);
  EXPECT_FALSE(shown.playing);
  EXPECT_EQ(shown.image->width, 320);
  EXPECT_EQ(shown.image->height, 180);
}

TEST_F(PlayerTest, JumpsToAnyFrameExactly) {
  for (const std::size_t frame : {100, 5, 189, 40, 41, 0, 116}) {
    player_.seek(pts_[frame]);
    EXPECT_TRUE(until_pts(pts_[frame])) << frame;
  }
  player_.seek(pts_[50] + 1);  // the first at or after it
  EXPECT_TRUE(until_pts(pts_[51]));
  player_.seek(pts_.back() + 1'000'000);
  EXPECT_TRUE(until([&](const Player::Shown& shown) { return shown.pts == pts_.back() && shown.at_end; }));
}

TEST_F(PlayerTest, StepsThroughEveryFrameBothWays) {
  ASSERT_EQ(pts_.size(), 200U);
  player_.seek(pts_[180]);
  ASSERT_TRUE(until_pts(pts_[180]));
  for (std::size_t frame = 180; frame-- > 60;) {
    player_.step(-1);
    ASSERT_TRUE(until_pts(pts_[frame])) << frame;
  }
  for (std::size_t frame = 61; frame < 100; ++frame) {
    player_.step(1);
    ASSERT_TRUE(until_pts(pts_[frame])) << frame;
  }
  player_.step(-1000);
  EXPECT_TRUE(until([&](const Player::Shown& shown) { return shown.pts == pts_.front() && shown.at_start; }));
}

// More of them than are kept.
TEST_F(PlayerTest, PlaysEveryFrameInOrderAndStopsAtTheEnd) {
  player_.seek(pts_[80]);
  ASSERT_TRUE(until_pts(pts_[80]));
  player_.play(1);
  ASSERT_TRUE(until([&](const Player::Shown& shown) { return shown.pts == pts_.back() && !shown.playing; }));
  const std::scoped_lock lock(mutex_);
  std::vector<std::int64_t> played;
  for (const auto& shown : shown_) {
    if (played.empty() ? shown.pts == pts_[80] : shown.pts != played.back()) played.push_back(shown.pts);
  }
  EXPECT_EQ(played, std::vector(pts_.begin() + 80, pts_.end()));
}

TEST_F(PlayerTest, LoopsBetweenItsMarks) {
  player_.loop(Player::Loop{pts_[20], pts_[25]});
  player_.seek(pts_[20]);
  ASSERT_TRUE(until_pts(pts_[20]));
  player_.play(4);
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_TRUE(until([&](const Player::Shown& shown) { return shown.pts >= pts_[24]; }));
    ASSERT_TRUE(until([&](const Player::Shown& shown) { return shown.pts <= pts_[21]; }));
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& shown : shown_) EXPECT_LE(shown.pts, pts_[25]);
}

TEST_F(PlayerTest, IsResizedToWhatTheViewNeeds) {
  ASSERT_TRUE(until_pts(pts_.front()));
  player_.resize(640, 200);
  EXPECT_TRUE(
      until([](const Player::Shown& shown) { return shown.image->height == 200 && shown.image->width == 356; }));
}

TEST(Player, SaysWhatCannotBeOpened) {
  std::mutex mutex;
  std::condition_variable changed;
  std::string failed;
  const Player player("/no/such/video.mp4", 320, 180,
                      {[](const StreamInfo&) {},
                       [&](const Error& error) {
                         const std::scoped_lock lock(mutex);
                         failed = error.message;
                         changed.notify_all();
                       },
                       [](const Player::Shown&) {}});
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return !failed.empty(); }));
  EXPECT_NE(failed.find("/no/such/video.mp4"), std::string::npos);
}

}  // namespace
}  // namespace longtake
