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

// More of them than are kept. Each is shown, or counted where it came too late to be.
TEST_F(PlayerTest, PlaysEveryFrameInOrderAndStopsAtTheEnd) {
  player_.seek(pts_[80]);
  ASSERT_TRUE(until_pts(pts_[80]));
  player_.play(1);
  ASSERT_TRUE(until([&](const Player::Shown& shown) { return shown.pts == pts_.back() && !shown.playing; }));
  const std::scoped_lock lock(mutex_);
  auto next = pts_.begin() + 80;
  bool begun = false;
  for (const auto& shown : shown_) {
    if (!begun && shown.pts != pts_[80]) continue;
    if (begun && shown.pts == *std::prev(next)) continue;  // shown again, as it began to play
    begun = true;
    next += shown.passed_over;
    ASSERT_EQ(shown.pts, *next);
    ++next;
  }
  EXPECT_EQ(next, pts_.end());
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

// Made by ffmpeg: left half red, right half blue.
std::string two_colours(const TempDir& folder, const std::string& name, const std::string& options) {
  const std::string raw = (folder / "raw.mp4").string(), out = (folder / name).string();
  const std::string make =
      "ffmpeg -y -v error -f lavfi -i color=red:s=160x180:r=25:d=1 -f lavfi -i color=blue:s=160x180:r=25:d=1 "
      "-filter_complex hstack,format=yuv420p " +
      raw + " && ffmpeg -y -v error -i " + raw + " " + options + " " + out;
  EXPECT_EQ(std::system(make.c_str()), 0);
  return out;
}

// The first frame, in a view of 400 x 200.
std::shared_ptr<const RgbImage> first_frame(const std::string& video) {
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<const RgbImage> out;
  const Player player(video, 400, 200,
                      {[](const StreamInfo&) {}, [](const Error& error) { ADD_FAILURE() << error.message; },
                       [&](const Player::Shown& shown) {
                         const std::scoped_lock lock(mutex);
                         out = shown.image;
                         changed.notify_all();
                       }});
  std::unique_lock lock(mutex);
  changed.wait_for(lock, std::chrono::seconds(20), [&] { return out != nullptr; });
  return out;
}

// How much more red than blue there is at a place, both as shares of the picture.
int red_at(const RgbImage& image, double x, double y) {
  const auto column = static_cast<std::size_t>(x * image.width), row = static_cast<std::size_t>(y * image.height);
  const std::uint8_t* pixel = &image.pixels[3 * (row * static_cast<std::size_t>(image.width) + column)];
  return pixel[0] - pixel[2];
}

TEST(Player, TurnsAPictureUpright) {
  const TempDir folder;
  const auto image = first_frame(two_colours(folder, "turned.mp4", "-c copy -metadata:s:v:0 rotate=90"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->width, 113);  // 180 : 320
  EXPECT_EQ(image->height, 200);
  // A quarter turn clockwise: what was left is above, or it is below where ffmpeg counts the other way.
  EXPECT_GT(std::abs(red_at(*image, 0.5, 0.1)), 150);
  EXPECT_LT(red_at(*image, 0.5, 0.1) * red_at(*image, 0.5, 0.9), 0);
  EXPECT_GT(red_at(*image, 0.1, 0.1) * red_at(*image, 0.9, 0.1), 0);
}

TEST(Player, ShowsPixelsInTheirShape) {
  const TempDir folder;
  const auto image = first_frame(two_colours(folder, "wide.mp4", "-vf scale=200:200,setsar=2"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->width, 400);
  EXPECT_EQ(image->height, 200);
  EXPECT_GT(red_at(*image, 0.25, 0.5), 150);
  EXPECT_LT(red_at(*image, 0.75, 0.5), -150);
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
