#include "core/signals/decider.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace longtake {

void Decider::step(const Observation& frame, std::vector<Record>& records) {
  SurpriseTest::Verdict verdict{std::numeric_limits<float>::quiet_NaN(), 0};
  if (frame.next_latent_error) verdict = surprise_.judge(*frame.next_latent_error, frame.t, frame.dt);

  // Cues first: a blank picture is no news.
  std::vector<EventRecord> cues, occurrences;
  cues_.step(frame, cues);
  light_.step(frame, cues);
  const std::optional<double> sustained = occurrences_.step(frame, cues_.blank(), occurrences);

  FrameRecord record;
  record.frame = frame.frame;
  record.pts = frame.pts;
  record.t = frame.t;
  record.surprise = verdict.surprise;
  if (frame.novelty) record.novelty = static_cast<float>(*frame.novelty);
  if (sustained) record.sustained = static_cast<float>(*sustained);
  record.novelty_map = frame.novelty_map;
  if (frame.familiarity) record.familiarity = static_cast<float>(*frame.familiarity);
  if (frame.deviation_map) {
    record.deviation = *std::ranges::max_element(*frame.deviation_map);
    if (frame.novelty_map) record.deviation_map = frame.deviation_map;  // maps are wanted
  }
  record.boundary = verdict.boundary;
  record.layers = frame.layers;
  record.signals = frame.signals;
  if (!frame.probabilities.empty()) record.scene = top_classes_(frame.probabilities);
  if (labelled_) record.labels = named_labels(labelled_->names(), frame.labels);
  records.emplace_back(std::move(record));

  if (frame.shot) {
    slots_.add(frame, verdict.surprise);
    for (const ShotVerdict& slot : frame.shot->verdicts) judge_slot(slot, records);
  } else {
    BoundaryDetector::Step boundary = boundaries_.step(frame, verdict);
    if (labelled_) {
      labelled_->add(frame, verdict.surprise, boundary.peak_moved, records);
    } else {
      segments_.add(frame, verdict.surprise, boundary.peak_moved);
    }
    if (boundary.event) change_shot(std::move(*boundary.event), records);
  }

  for (EventRecord& cue : cues) emit(std::move(cue), records);
  for (EventRecord& occurrence : occurrences) emit(std::move(occurrence), records);
}

void Decider::add(const ShotSlot& slot, bool starts_candidate, std::vector<Record>& records) {
  if (labelled_) {
    labelled_->add(slot.stretch, slot.labels, slot.seconds, starts_candidate, records);
  } else {
    segments_.add(slot.stretch, starts_candidate);
  }
}

void Decider::judge_slot(const ShotVerdict& verdict, std::vector<Record>& records) {
  const ShotSlot slot = slots_.take();
  ShotDetector::Step shot = shots_.step(slot, verdict);
  add(slot, shot.peak_moved, records);
  if (shot.event) change_shot(std::move(*shot.event), records);
}

void Decider::discontinue(std::span<const ShotVerdict> verdicts, std::vector<Record>& records) {
  for (const ShotVerdict& slot : verdicts) judge_slot(slot, records);
  add(slots_.take_rest(), false, records);
  if (auto event = shots_.flush()) change_shot(std::move(*event), records);
  if (auto event = boundaries_.flush()) change_shot(std::move(*event), records);
  if (labelled_) labelled_->close_all(records);
  if (auto stretch = segments_.close_all()) records.emplace_back(stretch->record(top_classes_));
  std::vector<EventRecord> cues;
  cues_.flush(cues);
  light_.flush();
  for (EventRecord& cue : cues) emit(std::move(cue), records);
  std::vector<EventRecord> occurrences;
  occurrences_.flush(occurrences);
  for (EventRecord& occurrence : occurrences) emit(std::move(occurrence), records);
}

void Decider::change_shot(EventRecord event, std::vector<Record>& records) {
  emit(std::move(event), records);
  if (labelled_) {
    labelled_->close_before_boundary(records);
  } else if (auto stretch = segments_.close_before_candidate()) {
    records.emplace_back(stretch->record(top_classes_));
  }
}

void Decider::emit(EventRecord event, std::vector<Record>& records) {
  ++events_;
  occurrences_.explain(event);
  records.emplace_back(std::move(event));
}

}  // namespace longtake
