// From observations to records: surprise, boundary probability, events, segments, technical cues, what is new or back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/records/records.h"
#include "core/signals/boundary_detector.h"
#include "core/signals/label_segmenter.h"
#include "core/signals/light_changes.h"
#include "core/signals/observation.h"
#include "core/signals/occurrences.h"
#include "core/signals/segmenter.h"
#include "core/signals/shot_detector.h"
#include "core/signals/surprise.h"
#include "core/signals/technical_cues.h"

namespace longtake {

// Streaming, one thread, fixed memory; a pure function of the observations and its saved state. With a shot head in the
// model, changes of shot are cuts and gradual changes, some slots late (see shot_detector.h); without one they are boundary
// events, which come from surprise alone.
class Decider {
 public:
  // Names for the encoder's own classes, best first. A plain function: a decision depends on nothing but numbers.
  using TopClasses = std::vector<NamedScore> (*)(std::span<const float> probabilities);
  // `events_an_hour`: of novelty and return, see Occurrences.
  explicit Decider(TopClasses top_classes, std::optional<double> events_an_hour = std::nullopt)
      : top_classes_(top_classes), occurrences_(events_an_hour) {}
  // From now on frames have labels. Before a state is read that has them, see LabelSegmenter::holds().
  void watch_labels(LabelNames labels) {
    slots_.watch_labels(labels.names.size());
    labelled_.emplace(std::move(labels), top_classes_);
  }

  // Appends this frame's record and whatever became certain with it.
  void step(const Observation& frame, std::vector<Record>& records);
  // The stream is over, or time breaks off before the next frame: what is open is closed and nothing is compared across
  // the break. Surprise keeps what it has learned about ordinary errors. `verdicts`: what the analyzer still had to say, see
  // Analyzer::flush().
  void discontinue(std::span<const ShotVerdict> verdicts, std::vector<Record>& records);

  std::int64_t events() const noexcept { return events_; }
  // A memory that goes on to another video starts counting events anew.
  void forget_counts() noexcept { events_ = 0; }

  template <class Archive>
  void archive(Archive& a) {
    a("surprise", surprise_);
    a("boundaries", boundaries_);
    a("shots", shots_);
    a("slots", slots_);
    a("segments", segments_);
    a("cues", cues_);
    a("light", light_);
    a("occurrences", occurrences_);
    a("events", events_);
    if (labelled_) {
      a("labels", *labelled_);
      a("slot_labels", slots_.label_sums());
    }
  }

 private:
  void add(const ShotSlot& slot, bool starts_candidate, std::vector<Record>& records);
  void judge_slot(const ShotVerdict& verdict, std::vector<Record>& records);
  // The event at the candidate has become certain, and with it the segment before.
  void change_shot(EventRecord event, std::vector<Record>& records);
  void emit(EventRecord event, std::vector<Record>& records);

  TopClasses top_classes_;
  SurpriseTest surprise_;
  BoundaryDetector boundaries_;
  ShotDetector shots_;
  ShotSlots slots_;
  Segmenter segments_;                      // without labels
  std::optional<LabelSegmenter> labelled_;  // instead of it, with labels
  TechnicalCues cues_;
  LightChanges light_;
  Occurrences occurrences_;
  std::int64_t events_ = 0;
};

}  // namespace longtake
