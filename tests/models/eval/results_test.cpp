// Evaluations of finished results: files as analyze writes them, with answers worked out by hand.
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/records/records.h"
#include "models/eval/anomaly.h"
#include "models/eval/boundaries.h"
#include "models/eval/labels.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<double> times(int frames) {
  std::vector<double> out;
  for (int i = 0; i < frames; ++i) out.push_back(i * 0.04);
  return out;
}

constexpr TimeSpan kWhole{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

// Frames 0 … 99. Truth: cuts at 20 and 40, a dissolve 60 … 68, a fade 80 … 90, a flash at 30.
const std::vector<TrueBoundary> kTruth{{"a.mp4", "cut", 20, 20},
                                       {"a.mp4", "cut", 40, 40},
                                       {"a.mp4", "dissolve", 60, 68},
                                       {"a.mp4", "fade_out", 80, 90},
                                       {"a.mp4", "flash_no_boundary", 30, 32}};

FoundBoundary at(int frame, const char* kind) { return {frame * 0.04, kind}; }

TEST(CountBoundaries, ByKind) {
  // 22 hits the first cut; the second is missed; 64 hits the dissolve, though it says cut; 92 hits the fade. 31 is a false
  // cut at the flash, 45 a false gradual, 50 a false alarm that does not say what it is.
  const auto got = count_boundaries(
      kTruth, {at(22, "cut"), at(31, "cut"), at(45, "gradual"), at(50, "boundary"), at(64, "cut"), at(92, "gradual")},
      times(100), kWhole, 2);
  const auto [all, cut, dissolve, fade] = got.kinds;
  EXPECT_EQ(all.hits, 3);
  EXPECT_EQ(all.truth, 4);
  EXPECT_EQ(all.found, 6);
  EXPECT_DOUBLE_EQ(all.precision(), 0.5);
  EXPECT_DOUBLE_EQ(all.recall(), 0.75);
  EXPECT_DOUBLE_EQ(all.f1(), 0.6);  // 2 · 3 / (4 + 6)
  EXPECT_DOUBLE_EQ(cut.precision(), 1.0 / 3) << "one hit; the false cut and the false boundary";
  EXPECT_DOUBLE_EQ(cut.recall(), 0.5);
  EXPECT_DOUBLE_EQ(dissolve.precision(), 1.0 / 3) << "one hit; the false gradual and the false boundary";
  EXPECT_DOUBLE_EQ(dissolve.recall(), 1);
  EXPECT_DOUBLE_EQ(fade.precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(fade.recall(), 1);
  EXPECT_EQ(got.false_alarms, 3);
  EXPECT_EQ(got.flashes, 1);
  EXPECT_EQ(got.flash_false_alarms, 1);
}

TEST(CountBoundaries, TheToleranceIsOfCutsAlone) {
  const auto hits = [&](int frame, std::int64_t tolerance) {
    return count_boundaries(kTruth, {at(frame, "boundary")}, times(100), kWhole, tolerance).kinds[0].hits;
  };
  EXPECT_EQ(hits(22, 2), 1);
  EXPECT_EQ(hits(23, 2), 0);
  EXPECT_EQ(hits(20, 0), 1);
  EXPECT_EQ(hits(21, 0), 0);
  EXPECT_EQ(hits(25, 5), 1);
  EXPECT_EQ(hits(58, 0), 1) << "two frames before the dissolve";
  EXPECT_EQ(hits(57, 9), 0);
  EXPECT_EQ(hits(70, 0), 1);
  EXPECT_EQ(hits(71, 0), 0);
}

// One frame of the whole video in five is looked at. The cut at 20 is seen at 20, that at 41 first at 45: four frames late.
TEST(CountBoundaries, ThinnedResultsAreJudgedInFramesOfTheWholeVideo) {
  const std::vector<TrueBoundary> truth{{"a.mp4", "cut", 20, 20}, {"a.mp4", "cut", 41, 41}};
  const auto got = count_boundaries(truth, {at(20, "cut"), at(45, "cut")}, times(100), kWhole, 2);
  EXPECT_EQ(got.kinds[0].hits, 1);
  EXPECT_EQ(got.false_alarms, 1);
}

// Frames 30 … 65 were asked for: the first cut and the fade lie outside, the dissolve ends outside.
TEST(CountBoundaries, WhatWasNotAskedForIsNotMissed) {
  const auto got = count_boundaries(kTruth, {at(40, "cut"), at(62, "gradual")}, times(100), {30 * 0.04, 65 * 0.04}, 2);
  EXPECT_EQ(got.kinds[0].truth, 1);
  EXPECT_EQ(got.kinds[0].hits, 1);
  EXPECT_EQ(got.false_alarms, 0) << "the event in the dissolve is neither right nor wrong";
}

// The result breaks off after 30 frames; its last event must not hit a cut ten frames on.
TEST(CountBoundaries, WhatIsPastTheLastFrameIsMissed) {
  const auto got = count_boundaries(kTruth, {at(29, "cut")}, times(30), kWhole, 2);
  EXPECT_EQ(got.kinds[0].hits, 0);
  EXPECT_EQ(got.kinds[0].truth, 4);
}

TEST(CountBoundaries, WithoutAnythingThereAreNoFigures) {
  const auto got = count_boundaries({{"a.mp4", "cut", 3, 3}}, {}, times(10), kWhole, 2);
  EXPECT_TRUE(std::isnan(got.kinds[0].precision()));
  EXPECT_EQ(got.kinds[0].recall(), 0);
  EXPECT_EQ(got.kinds[0].f1(), 0);
  EXPECT_TRUE(std::isnan(got.kinds[2].f1()));
}

TEST(RobustPeaks, AreTheHighestOfEachRun) {
  const double none = NAN;
  // sorted: 1 1 2 2 2 2 3 9 20 30, median 2; deviations sorted: 0 0 0 0 1 1 1 7 18 28, median 1; threshold 15
  EXPECT_THAT(robust_peaks({none, 1, 2, 3, 20, 30, 2, 9, 2, 1, 2}), ElementsAre(5U)) << "9 is not over 15";
  EXPECT_THAT(robust_peaks({1, 2, 30, 2, 1, 2, 40, 30, 1, 3, 2}), ElementsAre(2U, 6U));
  EXPECT_THAT(robust_peaks({5, 5, 5}), IsEmpty());
  EXPECT_THAT(robust_peaks({none, none}), IsEmpty());
}

// --- labels

std::vector<std::string> names(const std::string& letters) {  // '.': none
  std::vector<std::string> out;
  for (const char c : letters) out.push_back(c == '.' ? "" : std::string(1, c));
  return out;
}

TEST(CountLabels, FramesAndClasses) {
  // Labelled: 8 frames. Right: a a b b b = 5. The c's over unlabelled time do not count; the frame without a name is missed.
  const auto got = count_labels(names("aaabbbbb.."), names("aacbbb.acc"));
  EXPECT_EQ(got.frames, 8);
  EXPECT_DOUBLE_EQ(got.frame_accuracy(), 5.0 / 8);
  // a: 2 right, 1 missed, 1 wrong (said of a b): F1 4/6. b: 3 right, 2 missed, 0 wrong: 6/8. c: in no truth, so not in the
  // mean.
  EXPECT_DOUBLE_EQ(got.classes.at("a").f1(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(got.classes.at("b").f1(), 6.0 / 8);
  EXPECT_EQ(got.classes.at("c").wrong, 1);
  EXPECT_DOUBLE_EQ(got.macro_f1(), (4.0 / 6 + 6.0 / 8) / 2);
}

TEST(CountLabels, Segments) {
  // True: a 0–10, b 10–20. Said: a 0–4, c 4–5, a 5–10, b 10–20.
  // a 0–4 fits by 4/10, a 5–10 by 5/10, b by 1; c fits nothing.
  const auto got = count_labels(names("aaaaaaaaaabbbbbbbbbb"), names("aaaacaaaaabbbbbbbbbb"));
  // At 10 % and 25 % the first a takes the true one, the second comes late: 2 right, 2 wrong, 0 missed: F1 4/6.
  EXPECT_DOUBLE_EQ(got.segments[0].f1(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(got.segments[1].f1(), 4.0 / 6);
  // At 50 % the first a does not fit and the second, with half, just does: the same counts.
  EXPECT_DOUBLE_EQ(got.segments[2].f1(), 4.0 / 6);
  EXPECT_EQ(got.segments[2].wrong, 2);
  // a b from a c a b: two to take out, of four.
  EXPECT_DOUBLE_EQ(got.edit_score(), 0.5);
}

TEST(CountLabels, UnlabelledTimePartsSegments) {
  // True: a, nothing, a. Said: a all the time, which within labelled time are two segments as well.
  const auto got = count_labels(names("aaa..aaa"), names("aaaaaaaa"));
  EXPECT_DOUBLE_EQ(got.segments[2].f1(), 1);
  EXPECT_DOUBLE_EQ(got.edit_score(), 1);
  const auto nothing = count_labels(names("aaa"), names("..."));
  EXPECT_EQ(nothing.frame_accuracy(), 0);
  EXPECT_EQ(nothing.segments[0].f1(), 0);
  EXPECT_EQ(nothing.edit_score(), 0);
}

TEST(CountLabels, VideosAreAddedUp) {
  LabelCounts sum;
  sum.add(count_labels(names("aaaa"), names("aaaa")));     // 4 of 4, edit 1
  sum.add(count_labels(names("aabb"), names("bbbb")), 2);  // 2 of 4, edit 1/2; twice
  EXPECT_DOUBLE_EQ(sum.frame_accuracy(), (4.0 + 2 * 2) / (4 + 2 * 4));
  EXPECT_DOUBLE_EQ(sum.edit_score(), (1 + 2 * 0.5) / 3);
  EXPECT_TRUE(std::isnan(LabelCounts().frame_accuracy()));
  EXPECT_TRUE(std::isnan(LabelCounts().macro_f1()));
}

TEST(TrueLabels, TheOneThatBeganLast) {
  const std::vector<TrueEvent> truth{
      {"a", 0, 0.2, "walk"}, {"a", 0.12, 0.28, "sit"}, {"a", 0, 0.08, "read"}, {"a", 0.4, 1, ""}};
  // 0 0.04: read ends first; 0.08: walk; 0.12 … 0.24: sit; 0.28 on: nothing, the end is exclusive, no name is none
  EXPECT_THAT(true_labels(truth, times(12)),
              ElementsAre("read", "read", "walk", "sit", "sit", "sit", "sit", "", "", "", "", ""));
}

// --- anomaly

TEST(AbnormalFrames, TheEndIsExclusive) {
  const std::vector<TrueAnomaly> truth{{"a.mp4", 2, 4}, {"a.mp4", 9, 50}};
  EXPECT_THAT(abnormal_frames(truth, times(10), times(10)),
              ElementsAre(false, false, true, true, false, false, false, false, false, true));
  // Every third frame of the video: 0 3 6 9.
  EXPECT_THAT(abnormal_frames(truth, {0, 0.12, 0.24, 0.36}, times(10)), ElementsAre(false, true, false, true));
}

// --- whole files

class Results : public testing::Test {
 protected:
  struct Said {
    std::vector<float> surprise{};      // of each frame; NaN: absent
    std::vector<float> novelty{};       // of each frame; empty: no frame has any
    std::vector<std::string> labels{};  // of each frame; empty: no frame has any
    std::vector<int> cuts{};
    std::string fps = "all";
  };
  // A result of 25 frames a second.
  std::string write(const std::string& name, const std::string& video, int frames, const Said& said) {
    std::string text;
    append_json_line(HeaderRecord{.longtake = "0.1.0", .model = "0", .source = video, .time_base = {1, 25}, .fps = said.fps},
                     text);
    for (int i = 0; i < frames; ++i) {
      FrameRecord frame{.frame = i, .pts = i, .t = i * 0.04};
      const auto at = static_cast<std::size_t>(i);
      if (at < said.surprise.size() && !std::isnan(said.surprise[at])) frame.surprise = said.surprise[at];
      if (at < said.novelty.size()) frame.novelty = said.novelty[at];
      if (at < said.labels.size()) frame.labels = std::vector<NamedScore>{{said.labels[at], 1.0F}};
      append_json_line(frame, text);
    }
    for (const int cut : said.cuts)
      append_json_line(EventRecord{.kind = "cut", .frame = cut, .pts = cut, .t = cut * 0.04}, text);
    append_json_line(EndRecord{.reason = "end_of_stream", .frames = frames}, text);
    const auto file = folder_ / name;
    std::ofstream(file) << text;
    return file.string();
  }
  std::filesystem::path truth(const std::string& text) {
    const auto file = folder_ / "truth.csv";
    std::ofstream(file) << text;
    return file;
  }
  Note note() {
    return [this](const std::string& sentence) { notes_.push_back(sentence); };
  }

  TempDir folder_;
  std::vector<std::string> notes_;
};

TEST_F(Results, BoundariesOfTwoVideos) {
  // One video has its cut found, the other not: recall 1/2; a draw of two videos has it at 0, 1/2 or 1.
  const auto csv = truth("video,type,start_s,end_s\nvideos/a.mp4,cut,0.4,0.4\nvideos/b.mp4,cut,0.4,0.4\n");
  const auto got = evaluate_boundaries({{{write("a.jsonl", "a.mp4", 25, {.cuts = {10}}), write("b.jsonl", "b.mp4", 25, {}),
                                          write("c.jsonl", "c.mp4", 25, {})},
                                         csv,
                                         "",
                                         ""},
                                        2,
                                        {}},
                                       note(), {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_THAT(got->videos, ElementsAre("a.mp4", "b.mp4"));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], HasSubstr("c.mp4"));
  EXPECT_EQ(got->events.counts.kinds[1].hits, 1);
  EXPECT_EQ(got->events.counts.kinds[1].truth, 2);
  EXPECT_DOUBLE_EQ(got->events.counts.seconds, 2);
  EXPECT_EQ(got->events.intervals[4].low, 0);  // recall of cuts
  EXPECT_EQ(got->events.intervals[4].high, 1);
  EXPECT_TRUE(std::isnan(got->events.intervals[7].low)) << "there is no dissolve";
}

TEST_F(Results, PeaksOfSignals) {
  std::vector<float> surprise{NAN};
  for (int i = 1; i < 25; ++i) surprise.push_back(i == 10 ? 50.0F : static_cast<float>(i % 3));
  const auto csv = truth("video,type,start_frame,end_frame\na.mp4,cut,10,10\n");
  const ResultRequest of{{write("a.jsonl", "a.mp4", 25, {.surprise = surprise})}, csv, "", ""};
  const auto got = evaluate_boundaries({of, 2, {"all"}}, note(), {});
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->signals.size(), 1U);
  EXPECT_EQ(got->signals[0].signal, "surprise");
  EXPECT_EQ(got->signals[0].counts.kinds[0].f1(), 1);
  EXPECT_EQ(got->events.counts.kinds[0].f1(), 0);
  const auto unknown = evaluate_boundaries({of, 2, {"elephant"}}, note(), {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUsage);
}

TEST_F(Results, AnomalyOfTwoVideosAndJoined) {
  // a: abnormal 2 3 with 5 1, others 0 4 (frame 0 has no value): pairs won 5>0 5>4 1>0, lost 1<4: 3/4.
  // b: abnormal 0 with 9, other 1 with 8: 1. Joined: abnormal 9 5 1, others 8 4 0: 9 wins 3, 5 wins 2, 1 wins 1: 6/9.
  // AP joined, from the top 9+ 8- 5+ 4- 1+ 0-: (1/1 + 2/3 + 3/5) / 3.
  const auto csv = truth("video,start_frame,end_frame\na.mp4,2,4\nb.mp4,0,1\n");
  const ResultRequest of{
      {write("a.jsonl", "a.mp4", 5, {.surprise = {NAN, 0, 5, 1, 4}}), write("b.jsonl", "b.mp4", 2, {.surprise = {9, 8}})},
      csv,
      "",
      ""};
  const auto judged = evaluate_anomaly({of}, note(), {});
  ASSERT_TRUE(judged) << judged.error().message;
  const AnomalyEvaluation* const got = &judged->front();
  EXPECT_EQ(got->signal, "surprise");
  EXPECT_DOUBLE_EQ(got->by_video[0].frame_auc, 0.75);
  EXPECT_EQ(got->by_video[0].frames, 4U);
  EXPECT_DOUBLE_EQ(got->by_video[1].frame_auc, 1);
  EXPECT_DOUBLE_EQ(got->joined.frame_auc, 6.0 / 9);
  EXPECT_DOUBLE_EQ(got->joined.frame_ap, (1 + 2.0 / 3 + 3.0 / 5) / 3);
  const auto other = evaluate_anomaly({of, "novelty"}, note(), {});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("no signal called \"novelty\", but surprise"));
}

TEST_F(Results, AllSignalsAreThoseThatAllResultsCarry) {
  const auto csv = truth("video,start_frame,end_frame\na.mp4,0,1\nb.mp4,0,1\n");
  const std::string both = write("a.jsonl", "a.mp4", 2, {.surprise = {1, 2}, .novelty = {2, 1}});
  const auto got = evaluate_anomaly({{{both}, csv, "", ""}, kAllSignals}, note(), {});
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->size(), 2U);
  EXPECT_EQ(got->at(0).signal, "surprise");
  EXPECT_EQ(got->at(0).joined.frame_auc, 0);
  EXPECT_EQ(got->at(1).signal, "novelty");
  EXPECT_EQ(got->at(1).joined.frame_auc, 1);
  const auto fewer = evaluate_anomaly({{{both, write("b.jsonl", "b.mp4", 2, {.surprise = {2, 1}})}, csv, "", ""}, kAllSignals}, note(), {});
  ASSERT_TRUE(fewer) << fewer.error().message;
  ASSERT_EQ(fewer->size(), 1U);
  EXPECT_EQ(fewer->front().by_video.size(), 2U);
}

TEST_F(Results, AVideoWithoutAnomaliesIsJudgedToo) {
  const auto csv = truth("video,start_frame,end_frame\na.mp4,0,0\n");
  const auto got = evaluate_anomaly({{{write("a.jsonl", "a.mp4", 3, {.surprise = {1, 2, 3}})}, csv, "", ""}}, note(), {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->front().joined.frames, 3U);
  EXPECT_EQ(got->front().joined.abnormal, 0U);
  EXPECT_TRUE(std::isnan(got->front().joined.frame_auc));
}

TEST_F(Results, LabelsOfAColumnAndASplit) {
  const auto csv = truth(
      "video,start_s,end_s,label,coarse,split\na.mp4,0,0.08,x,move,test\na.mp4,0.08,0.2,y,rest,test\n"
      "b.mp4,0,1,x,move,train\n");
  const ResultRequest of{
      {write("a.jsonl", "a.mp4", 5, {.labels = {"move", "move", "move", "rest", "rest"}})}, csv, "", "test"};
  const auto got = evaluate_labels({of, "coarse"}, note());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_DOUBLE_EQ(got->by_frames.counts.frame_accuracy(), 4.0 / 5);
  EXPECT_THAT(got->by_segments.by_video, IsEmpty());
  EXPECT_TRUE(std::isnan(got->by_frames.intervals[0].low)) << "one video says nothing of others";
}

TEST_F(Results, BadInputIsSaid) {
  const auto csv = truth("video,type,start_frame,end_frame\na.mp4,cut,10,10\n");
  const auto a = write("a.jsonl", "a.mp4", 25, {}), again = write("again.jsonl", "elsewhere/a.mp4", 25, {});
  const auto b = write("b.jsonl", "b.mp4", 25, {}), thin = write("thin.jsonl", "a.mp4", 25, {.fps = "10"});
  const auto failure = [&](const std::vector<std::string>& results) {
    const auto got = evaluate_boundaries({{results, csv, "", ""}, 2, {}}, note(), {});
    return got ? Error{ErrorKind::kUnexpected, "accepted"} : got.error();
  };
  EXPECT_THAT(failure({b}).message, HasSubstr("none of the results"));
  EXPECT_EQ(failure({b}).kind, ErrorKind::kInput);
  EXPECT_THAT(failure({a, again}).message, HasSubstr("both results of \"a.mp4\""));
  EXPECT_THAT(failure({write("empty.jsonl", "a.mp4", 0, {})}).message, HasSubstr("no frames"));
  EXPECT_THAT(failure({thin}).message, HasSubstr("--root")) << "the video is not there to say when its frames are";
  const auto labels = truth("video,start_s,end_s,label\na.mp4,0,1,x\n");
  const auto without = evaluate_labels({{{a}, labels, "", ""}}, note());
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().message, HasSubstr("no labels"));
}

}  // namespace
}  // namespace longtake
