#include "models/eval/boundary_match.h"

#include <cmath>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

std::vector<double> times(int frames) {
  std::vector<double> out;
  for (int i = 0; i < frames; ++i) out.push_back(i * 0.04);
  return out;
}

TEST(IsBoundary, ByTheKindOfAnEventAndTheTypeOfATruth) {
  for (const char* kind : {"boundary", "cut", "gradual"}) EXPECT_TRUE(is_boundary(EventRecord{.kind = kind}));
  for (const char* kind : {"novelty", "black", "frozen", "flash"}) EXPECT_FALSE(is_boundary(EventRecord{.kind = kind}));
  EXPECT_TRUE(is_boundary(TrueBoundary{"a.mp4", "wipe"}));
  EXPECT_FALSE(is_boundary(TrueBoundary{"a.mp4", "flash_no_boundary"}));
}

TEST(Reach, TwoFramesAroundACutAndAroundAWholeTransition) {
  const auto at = times(100);
  const TimeSpan cut = reach({"a.mp4", "cut", 50, 50}, at);
  EXPECT_NEAR(cut.from, 48 * 0.04, 1e-5);
  EXPECT_NEAR(cut.to, 52 * 0.04, 1e-5);
  EXPECT_LE(cut.from, at[48]) << "a border belongs to it, however it is rounded";
  EXPECT_GE(cut.to, at[52]);
  const TimeSpan fade = reach({"a.mp4", "fade", 60, 70}, at);
  EXPECT_NEAR(fade.from, 58 * 0.04, 1e-5);
  EXPECT_NEAR(fade.to, 72 * 0.04, 1e-5);
  EXPECT_NEAR(reach({"a.mp4", "cut", 99, 99}, at).to, 99 * 0.04, 1e-5) << "the video ends there";
}

TEST(Reach, TheToleranceIsOfCuts) {
  const auto at = times(100);
  EXPECT_NEAR(reach({"a.mp4", "cut", 50, 50}, at, 0).from, 2, 1e-5);
  EXPECT_NEAR(reach({"a.mp4", "cut", 50, 50}, at, 5).to, 55 * 0.04, 1e-5);
  EXPECT_NEAR(reach({"a.mp4", "dissolve", 60, 70}, at, 5).to, 72 * 0.04, 1e-5);
}

// 1.99 s lies nearest to frame 50, whose neighbours are at 1.96 and 2.04.
TEST(Reach, OfABoundaryGivenInSeconds) {
  const auto at = times(100);
  const TimeSpan cut = reach({"a.mp4", "cut", 0, 0, TimeSpan{1.99, 1.99}, "a.mp4"}, at);
  EXPECT_NEAR(cut.from, 48 * 0.04, 1e-5);
  EXPECT_NEAR(cut.to, 52 * 0.04, 1e-5);
  EXPECT_EQ(nearest_frame(-1, at), 0);
  EXPECT_EQ(nearest_frame(99 * 0.04 + 0.4, at), 109) << "the video ended ten frames before";
}

TEST(Reach, PastTheLastFrameThereIsNone) {
  EXPECT_EQ(count_hits({reach({"a.mp4", "cut", 102, 102}, times(100))}, {99 * 0.04}), 0);
  EXPECT_EQ(count_hits({reach({"a.mp4", "cut", 101, 101}, times(100))}, {99 * 0.04}), 1);
}

TEST(Match, SaysWhichEventHits) {
  // The truth that ends first takes the earliest event it can, 3; that of the other is then 5.
  const auto got = match({{2, 6}, {1, 4}, {8, 9}}, {5, 3, 7});
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0], 0U);
  EXPECT_EQ(got[1], 1U);
  EXPECT_FALSE(got[2]);
}

TEST(CountHits, AnEventHitsOneTruth) {
  EXPECT_EQ(count_hits({{1, 2}, {1.5, 3}}, {1.7}), 1);
  EXPECT_EQ(count_hits({{1, 2}}, {1.2, 1.7}), 1);
  EXPECT_EQ(count_hits({{1, 2}, {5, 6}}, {0.9, 2.1, 5.5}), 1);
  EXPECT_EQ(count_hits({}, {1}), 0);
}

// The long truth must leave the event at 1.5 to the short one, whichever comes first in the list.
TEST(CountHits, AsManyAsCanBe) {
  EXPECT_EQ(count_hits({{0, 10}, {1, 2}}, {1.5, 4}), 2);
  EXPECT_EQ(count_hits({{1, 2}, {0, 10}}, {1.5, 0.5}), 2);
}

TEST(F1, OfHitsMissesAndFalseAlarms) {
  EXPECT_DOUBLE_EQ(f1(2, 3, 5), 0.5);  // precision 2/5, recall 2/3
  EXPECT_EQ(f1(0, 3, 0), 0);
  EXPECT_TRUE(std::isnan(f1(0, 0, 0)));
}

// Spans of 2 s in 10 s begin anywhere in 0 … 8. One mark at 5 is held by those that begin in 3 … 5.
TEST(Chance, IsTheShareOfPlacesThatHoldAMark) {
  EXPECT_DOUBLE_EQ(chance_of_holding(2, {0, 10}, std::vector<double>{5}), 2.0 / 8);
  EXPECT_DOUBLE_EQ(chance_of_holding(2, {0, 10}, std::vector<double>{5, 6}), 3.0 / 8) << "places count once";
  EXPECT_DOUBLE_EQ(chance_of_holding(2, {0, 10}, std::vector<double>{1, 9.5}), 1.5 / 8) << "only those that lie inside";
  EXPECT_EQ(chance_of_holding(2, {0, 10}, {}), 0);
  EXPECT_EQ(chance_of_holding(12, {0, 10}, std::vector<double>{5}), 1);
}

TEST(GroundTruth, ReadsColumnsByName) {
  const TempDir folder;
  const auto file = folder.path() / "truth.csv";
  std::ofstream(file)
      << "type,video,end_frame,start_frame\r\ncut,videos/a.mp4,7,7\r\n\"fade\",\"b, \"\"c\"\".mp4\",9,3\r\n";
  const auto got = read_boundaries(file);
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->size(), 2U);
  EXPECT_EQ((*got)[0].video, "a.mp4");
  EXPECT_EQ((*got)[0].start_frame, 7);
  EXPECT_EQ((*got)[1].video, "b, \"c\".mp4");
  EXPECT_EQ((*got)[1].type, "fade");
  EXPECT_EQ((*got)[1].start_frame, 3);
  EXPECT_EQ((*got)[1].end_frame, 9);
}

TEST(GroundTruth, StretchesInSecondsOrInFrames) {
  const TempDir folder;
  const auto file = folder.path() / "truth.csv";
  std::ofstream(file) << "\xEF\xBB\xBFvideo,type,start_s,end_s\nvideos/a.mp4,fade_in,0,1.9\n";
  const auto in_seconds = read_boundaries(file);
  ASSERT_TRUE(in_seconds) << in_seconds.error().message;
  ASSERT_TRUE((*in_seconds)[0].seconds);
  EXPECT_EQ((*in_seconds)[0].seconds->to, 1.9);
  EXPECT_EQ((*in_seconds)[0].path, "videos/a.mp4");
  std::ofstream(file) << "video,start_s,end_s,start_frame,end_frame\na.mp4,0,1,5,9\n";
  const auto both = read_anomalies(file);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_FALSE((*both)[0].seconds) << "frames are exact";
  EXPECT_EQ((*both)[0].end_frame, 9);
  std::ofstream(file) << "video,start_frame,end_frame\na.mp4,9,5\n";
  EXPECT_FALSE(read_anomalies(file));
}

TEST(GroundTruth, OfOneColumnAndOneSplit) {
  const TempDir folder;
  const auto file = folder.path() / "labels.csv";
  std::ofstream(file) << "video,start_s,end_s,label,coarse,split\na.mp4,0,1,walk,move,train\nb.mp4,0,1,sit,rest,test\n";
  const auto got = read_labels(file, "coarse", "test");
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->size(), 1U);
  EXPECT_EQ((*got)[0].label, "rest");
  EXPECT_NE(read_labels(file, "label", "val").error().message.find("\"val\""), std::string::npos);
  EXPECT_NE(read_labels(file, "fine").error().message.find("\"fine\""), std::string::npos);
}

TEST(GroundTruth, SaysWhatIsWrongAndWhere) {
  const TempDir folder;
  const auto file = folder.path() / "labels.csv";
  const auto message = [&](const char* text) {
    std::ofstream(file) << text;
    const auto got = read_labels(file);
    return got ? std::string() : got.error().message;
  };
  EXPECT_EQ(message("video,start_s,end_s,label\na.mp4,1,2.5,car\n"), "");
  EXPECT_NE(message("video,start_s,label\n").find("\"end_s\""), std::string::npos);
  EXPECT_NE(message("video,start_s,end_s,label\na.mp4,1,2,car\na.mp4,3,2,car\n").find("line 3"), std::string::npos);
  EXPECT_NE(message("video,start_s,end_s,label\na.mp4,1,nan,car\n").find("line 2"), std::string::npos);
  EXPECT_NE(message("video,start_s,end_s,label\na.mp4,1\n").find("line 2"), std::string::npos);
  EXPECT_NE(message("").find("labels.csv"), std::string::npos);
  EXPECT_FALSE(read_labels(folder.path() / "missing.csv"));
}

}  // namespace
}  // namespace longtake
