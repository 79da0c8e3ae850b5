#include "core/signals/decider.h"

#include <limits>
#include <utility>

namespace longtake {

void Decider::step(const Observation& frame, std::vector<Record>& records) {
  SurpriseTest::Verdict verdict{std::numeric_limits<float>::quiet_NaN(), 0};
  if (frame.next_latent_error) verdict = surprise_.judge(*frame.next_latent_error, frame.t, frame.dt);

  FrameRecord record;
  record.frame = frame.frame;
  record.pts = frame.pts;
  record.t = frame.t;
  record.surprise = verdict.surprise;
  if (frame.novelty) record.novelty = static_cast<float>(*frame.novelty);
  record.novelty_map = frame.novelty_map;
  record.boundary = verdict.boundary;
  record.layers = frame.layers;
  if (!frame.probabilities.empty()) record.scene = top_classes_(frame.probabilities);
  records.emplace_back(std::move(record));

  BoundaryDetector::Step boundary = boundaries_.step(frame, verdict);
  segments_.add(frame, verdict.surprise, boundary.peak_moved);
  if (boundary.event) {
    emit(std::move(*boundary.event), records);
    if (auto stretch = segments_.close_before_candidate()) records.emplace_back(stretch->record(top_classes_));
  }

  std::vector<EventRecord> cues;
  cues_.step(frame, cues);
  for (EventRecord& cue : cues) emit(std::move(cue), records);
}

void Decider::discontinue(std::vector<Record>& records) {
  if (auto event = boundaries_.flush()) {
    emit(std::move(*event), records);
    if (auto stretch = segments_.close_before_candidate()) records.emplace_back(stretch->record(top_classes_));
  }
  if (auto stretch = segments_.close_all()) records.emplace_back(stretch->record(top_classes_));
  std::vector<EventRecord> cues;
  cues_.flush(cues);
  for (EventRecord& cue : cues) emit(std::move(cue), records);
}

void Decider::emit(EventRecord event, std::vector<Record>& records) {
  ++events_;
  records.emplace_back(std::move(event));
}

}  // namespace longtake
