#include "core/signals/decider.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/store/archive.h"
#include "tests/core/signals/observations.h"

namespace longtake {
namespace {

std::vector<NamedScore> best_class(std::span<const float> probabilities) {
  const auto best = std::max_element(probabilities.begin(), probabilities.end());
  return {{"class " + std::to_string(best - probabilities.begin()), *best}};
}

std::vector<Observation> video() {
  OrdinaryErrors errors(11);
  std::vector<Observation> out;
  for (std::int64_t i = 0; i < 600; ++i) {
    Observation frame = observation(i, errors());
    if (i == 150 || i == 400) frame.next_latent_error = 2.0;
    if (i == 152) frame.next_latent_error = 1.2;  // a flash: one event, at its larger side
    if (i >= 250 && i < 300) frame.thumbnail.fill(0);
    out.push_back(frame);
  }
  return out;
}

std::string lines(const std::vector<Record>& records) {
  std::string text;
  for (const Record& record : records) append_json_line(record, text);
  return text;
}

TEST(Decider, PassesOnWhatTheRecallMemorySaysAndNothingWhereThereIsNone) {
  Decider decider(best_class);
  std::vector<Record> records;
  Observation frame = observation(0, 0);
  decider.step(frame, records);
  EXPECT_FALSE(std::get<FrameRecord>(records.back()).novelty);
  frame = observation(1, 0.02);
  frame.novelty = 0.25;
  decider.step(frame, records);
  EXPECT_EQ(std::get<FrameRecord>(records.back()).novelty, 0.25F);
  EXPECT_FALSE(std::get<FrameRecord>(records.back()).novelty_map);
  frame = observation(2, 0.02);
  frame.novelty_map = std::array<float, 16>{1, 2, 3};
  decider.step(frame, records);
  EXPECT_EQ(std::get<FrameRecord>(records.back()).novelty_map, frame.novelty_map);
}

TEST(Decider, GivesOneFrameRecordAFrameAndSegmentsBetweenItsBoundaries) {
  Decider decider(best_class);
  std::vector<Record> records;
  for (const Observation& frame : video()) decider.step(frame, records);
  decider.discontinue({}, records);

  std::vector<std::int64_t> boundaries;
  std::vector<SegmentRecord> segments;
  std::int64_t frames = 0;
  for (const Record& record : records) {
    if (std::holds_alternative<FrameRecord>(record)) ++frames;
    if (const auto* event = std::get_if<EventRecord>(&record);
        event != nullptr && event->kind == "boundary") {
      boundaries.push_back(event->frame);
    }
    if (const auto* segment = std::get_if<SegmentRecord>(&record)) segments.push_back(*segment);
  }
  EXPECT_EQ(frames, 600);
  EXPECT_EQ(boundaries, (std::vector<std::int64_t>{150, 400}));
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[0].last, 149);
  EXPECT_EQ(segments[1].first, 150);
  EXPECT_EQ(segments[1].last, 399);
  EXPECT_EQ(segments[2].last, 599);
  EXPECT_EQ(decider.events(), 3);  // two boundaries and a black stretch
}

TEST(Decider, ContinuedFromItsSavedStateItWritesTheSameBytes) {
  const std::vector<Observation> frames = video();
  Decider whole(best_class);
  std::vector<Record> expected;
  for (const Observation& frame : frames) whole.step(frame, expected);
  whole.discontinue({}, expected);

  for (const std::size_t split :
       {std::size_t{1}, std::size_t{151}, std::size_t{153}, std::size_t{270}, std::size_t{599}}) {
    std::vector<Record> records;
    TensorFile file;
    {
      Decider first(best_class);
      for (std::size_t i = 0; i < split; ++i) first.step(frames[i], records);
      StateWriter(file, "")("decide", first);
    }
    Decider second(best_class);
    StateReader reader(file, "");
    reader("decide", second);
    ASSERT_TRUE(reader.result()) << reader.result().error().message;
    for (std::size_t i = split; i < frames.size(); ++i) second.step(frames[i], records);
    second.discontinue({}, records);
    EXPECT_EQ(lines(records), lines(expected)) << "split at " << split;
  }
}

// As video() is seen by a model with a shot head at two frames a slot: a cut at frame 101, in the middle of a slot, and a
// gradual change over frames 300 to 340, which is fastest at 320.
std::vector<Observation> video_with_shots() {
  std::vector<Observation> out;
  const auto verdict_of = [](std::int64_t slot) -> ShotVerdict {
    if (slot == 50) return {0.9F, 0.2F, 1};
    if (slot == 51) return {0.95F, 0.9F, 1};
    if (slot >= 150 && slot <= 170) return {0.92F, 0.1F, slot == 160 ? 2.0F : 1.0F};
    return {};
  };
  std::int64_t slots = 0;
  for (const Observation& frame : video()) {
    Observation seen = frame;
    // Slots are frame 0, then 1 and 2, 3 and 4, …
    const bool ends = frame.frame % 2 == 0;
    seen.shot = ShotObservation{!ends, ends, {}};
    if (frame.frame == 0) seen.shot->sharpest = true;
    if (ends && slots++ >= kShotDelay) seen.shot->verdicts.push_back(verdict_of(slots - 1 - kShotDelay));
    out.push_back(seen);
  }
  return out;
}

TEST(Decider, WithAShotHeadSegmentsAreShotsAndSurpriseMakesNone) {
  Decider decider(best_class);
  std::vector<Record> records;
  for (const Observation& frame : video_with_shots()) decider.step(frame, records);
  decider.discontinue(std::vector<ShotVerdict>(kShotDelay), records);
  std::vector<std::string> events;
  std::vector<std::array<std::int64_t, 2>> segments;
  for (const Record& record : records) {
    if (const auto* event = std::get_if<EventRecord>(&record); event != nullptr && event->kind != "black") {
      events.push_back(event->kind + " " + std::to_string(event->frame));
    }
    if (const auto* segment = std::get_if<SegmentRecord>(&record)) segments.push_back({segment->first, segment->last});
  }
  EXPECT_EQ(events, (std::vector<std::string>{"cut 101", "gradual 319"}));
  EXPECT_EQ(segments, (std::vector<std::array<std::int64_t, 2>>{{0, 100}, {101, 318}, {319, 599}}));
}

TEST(Decider, WithAShotHeadItContinuesFromItsSavedStateToo) {
  const std::vector<Observation> frames = video_with_shots();
  Decider whole(best_class);
  std::vector<Record> expected;
  for (const Observation& frame : frames) whole.step(frame, expected);
  whole.discontinue(std::vector<ShotVerdict>(kShotDelay), expected);
  for (const std::size_t split : {std::size_t{3}, std::size_t{102}, std::size_t{118}, std::size_t{330}, std::size_t{598}}) {
    std::vector<Record> records;
    TensorFile file;
    Decider first(best_class);
    for (std::size_t i = 0; i < split; ++i) first.step(frames[i], records);
    StateWriter(file, "")("decide", first);
    Decider second(best_class);
    StateReader reader(file, "");
    reader("decide", second);
    ASSERT_TRUE(reader.result()) << reader.result().error().message;
    for (std::size_t i = split; i < frames.size(); ++i) second.step(frames[i], records);
    second.discontinue(std::vector<ShotVerdict>(kShotDelay), records);
    EXPECT_EQ(lines(records), lines(expected)) << "split at " << split;
  }
}

TEST(Decider, ADiscontinuityClosesWhatIsOpenAndIsNoEvent) {
  Decider decider(best_class);
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 100; ++i) decider.step(observation(i, 0.02), records);
  records.clear();
  decider.discontinue({}, records);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(std::get<SegmentRecord>(records[0]).last, 99);
  EXPECT_EQ(decider.events(), 0);
}

}  // namespace
}  // namespace longtake
