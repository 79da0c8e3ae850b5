#include "core/signals/boundary_detector.h"

#include <utility>

namespace longtake {

BoundaryDetector::Step BoundaryDetector::step(const Observation& frame, const SurpriseTest::Verdict& verdict) {
  Step out;
  const bool likely = verdict.boundary >= 0.5F;
  if (!open_ && !likely) return out;

  if (!open_) {
    open_ = true;
    length_ = 0;
    peak_ = {};
    peak_.span = {frame.frame, frame.frame};
  }
  ++length_;
  if (likely) peak_.span[1] = frame.frame;
  if (likely && (length_ == 1 || verdict.surprise > peak_.score)) {
    peak_.kind = "boundary";
    peak_.frame = frame.frame;
    peak_.pts = frame.pts;
    peak_.t = frame.t;
    peak_.score = verdict.surprise;
    peak_.confidence = verdict.boundary;
    since_peak_ = 0;
    out.peak_moved = true;
  } else {
    ++since_peak_;
  }
  if (since_peak_ >= kConfirmFrames || length_ >= kLongestCluster) out.event = flush();
  return out;
}

std::optional<EventRecord> BoundaryDetector::flush() {
  if (!std::exchange(open_, false)) return std::nullopt;
  peak_.kind = "boundary";  // not part of the saved state
  return std::exchange(peak_, {});
}

}  // namespace longtake
