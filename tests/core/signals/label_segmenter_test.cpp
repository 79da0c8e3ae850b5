#include "core/signals/label_segmenter.h"

#include <gtest/gtest.h>

#include "core/signals/decider.h"
#include "core/store/archive.h"
#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

std::vector<NamedScore> no_classes(std::span<const float>) { return {}; }

LabelNames names() { return {{"walk", "sit", "unknown"}, std::string(64, 'd')}; }

Observation seen(std::int64_t frame, std::size_t label, float score = 0.9F) {
  Observation out = observation(frame, 0.02);
  out.labels.assign(3, (1 - score) / 2);
  out.labels[label] = score;
  return out;
}

// A label for each frame, 25 a second.
std::vector<std::size_t> stretches(const std::vector<std::pair<int, std::size_t>>& parts) {
  std::vector<std::size_t> out;
  for (const auto& [frames, label] : parts) out.insert(out.end(), static_cast<std::size_t>(frames), label);
  return out;
}

std::vector<SegmentRecord> segments(const std::vector<std::size_t>& labels, std::int64_t boundary_at = -1) {
  LabelSegmenter segmenter(names(), &no_classes);
  std::vector<Record> records;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto frame = static_cast<std::int64_t>(i);
    segmenter.add(seen(frame, labels[i]), 0, frame == boundary_at, records);
    if (boundary_at >= 0 && frame == boundary_at + 4) segmenter.close_before_boundary(records);
  }
  segmenter.close_all(records);
  std::vector<SegmentRecord> out;
  for (const Record& record : records) out.push_back(std::get<SegmentRecord>(record));
  return out;
}

void expect_gapless(const std::vector<SegmentRecord>& all, std::int64_t frames) {
  std::int64_t next = 0;
  for (const SegmentRecord& one : all) {
    EXPECT_EQ(one.first, next);
    next = one.last + 1;
  }
  EXPECT_EQ(next, frames);
}

TEST(LabelSegmenter, ASegmentEndsWhereItsLabelChanges) {
  const auto all = segments(stretches({{50, 0}, {50, 1}}));
  ASSERT_EQ(all.size(), 2U);
  expect_gapless(all, 100);
  // The means are 0.05 + 0.85 e and 0.9 − 0.85 e, e = exp(−t / 0.3): 0.1 apart after 0.3 s · ln(1.7 / 0.75) = 6.1 frames.
  EXPECT_EQ(all[1].first, 56);
  EXPECT_EQ((*all[0].labels)[0].name, "walk");
  EXPECT_EQ((*all[1].labels)[0].name, "sit");
  EXPECT_NEAR((*all[1].labels)[0].score, 0.9, 1e-6);
}

TEST(LabelSegmenter, AnythingShorterThanHalfASecondChangesNothing) {
  EXPECT_EQ(segments(stretches({{50, 0}, {10, 1}, {50, 0}})).size(), 1U);
  EXPECT_EQ(segments(stretches({{50, 0}, {5, 1}, {5, 2}, {5, 1}, {5, 2}, {5, 1}, {50, 0}})).size(), 1U);
  EXPECT_EQ(segments(stretches({{50, 0}, {25, 1}, {50, 0}})).size(), 3U);
}

TEST(LabelSegmenter, AlmostEqualLabelsDoNotTakeTurns) {
  LabelSegmenter segmenter(names(), &no_classes);
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 500; ++i) {
    Observation frame = seen(i, 0);
    const bool other = i / 50 % 2 == 1;
    frame.labels = {other ? 0.46F : 0.5F, other ? 0.5F : 0.46F, 0.04F};
    segmenter.add(frame, 0, false, records);
  }
  EXPECT_TRUE(records.empty());
}

TEST(LabelSegmenter, BoundariesAndChangesEndSegmentsInAnyOrder) {
  for (std::int64_t boundary = 1; boundary < 100; ++boundary) {
    const auto all = segments(stretches({{50, 0}, {60, 1}}), boundary);
    expect_gapless(all, 110);
    bool at_boundary = false;
    for (const SegmentRecord& one : all) at_boundary = at_boundary || one.first == boundary;
    EXPECT_TRUE(at_boundary) << boundary;
    EXPECT_LE(all.size(), 3U);
    EXPECT_EQ((*all.back().labels)[0].name, "sit") << boundary;
  }
}

TEST(LabelSegmenter, SavedAnywhereItGoesOnTheSame) {
  const auto labels = stretches({{40, 0}, {20, 1}, {9, 0}, {40, 2}, {30, 1}});
  const auto run = [&](std::size_t saved_at) {
    Decider decider(&no_classes);
    decider.watch_labels(names());
    std::vector<Record> records;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (i == saved_at) {
        TensorFile file;
        StateWriter(file, "")("decide", decider);
        EXPECT_TRUE(LabelSegmenter::holds(file, "decide.labels.", names()));
        EXPECT_FALSE(LabelSegmenter::holds(file, "decide.labels.", {names().names, std::string(64, 'e')}));
        Decider other(&no_classes);
        other.watch_labels(names());
        StateReader reader(file, "");
        reader("decide", other);
        EXPECT_TRUE(reader.result()) << reader.result().error().message;
        decider = other;
      }
      decider.step(seen(static_cast<std::int64_t>(i), labels[i]), records);
    }
    decider.discontinue({}, records);
    std::string text;
    for (const Record& record : records) append_json_line(record, text);
    return text;
  };
  const std::string whole = run(labels.size());
  EXPECT_NE(whole.find("\"labels\":[[\"walk\",0.9]"), std::string::npos);
  for (std::size_t at = 0; at < labels.size(); at += 3) ASSERT_EQ(run(at), whole) << "saved at " << at;
}

TEST(LabelSegmenter, WithoutLabelsNothingIsSavedOrSaidOfThem) {
  Decider decider(&no_classes);
  std::vector<Record> records;
  decider.step(observation(0, 0.02), records);
  decider.discontinue({}, records);
  TensorFile file;
  StateWriter(file, "")("decide", decider);
  EXPECT_FALSE(LabelSegmenter::holds(file, "decide.labels.", names()));
  EXPECT_EQ(file.tensors.lower_bound("decide.labels"), file.tensors.lower_bound("decide.labelt"));
  for (const Record& record : records) {
    std::string line;
    append_json_line(record, line);
    EXPECT_EQ(line.find("labels"), std::string::npos);
  }
}

TEST(NamedLabels, AreSortedBestFirstAndFew) {
  const std::vector<std::string> all{"a", "b", "c", "d", "e", "f"};
  const std::vector<float> scores{0.1F, 0.3F, 0.1F, 0.3F, 0.15F, 0.05F};
  const auto named = named_labels(all, scores);
  ASSERT_EQ(named.size(), kMostNamed);
  EXPECT_EQ(named[0].name, "b");  // of equal ones the first
  EXPECT_EQ(named[1].name, "d");
  EXPECT_EQ(named[4].name, "c");
  EXPECT_EQ(named_labels({"a", "b"}, std::vector<float>{0.999F, 0.001F}).size(), 1U);
  EXPECT_THROW(named_labels({"a"}, scores), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
