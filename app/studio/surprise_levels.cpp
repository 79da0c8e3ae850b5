#include "app/studio/surprise_levels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/signals/boundary_detector.h"

namespace longtake {

void SurpriseLevels::clear() { *this = SurpriseLevels(most_); }

void SurpriseLevels::add(const FrameRecord& frame) {
  if (!frame.surprise || !std::isfinite(*frame.surprise)) return;
  const double surprise = *frame.surprise;
  if (surprise > highest_ || !highest_pts_) highest_pts_ = frame.pts;
  highest_ = std::max(highest_, surprise);
  if (surprise < lowest_) return;
  if (kept_.size() == most_) forget_lower_half();
  if (surprise >= lowest_) {
    kept_.push_back({frame.frame, frame.pts, frame.t, *frame.surprise, frame.boundary.value_or(0), run_});
  }
}

void SurpriseLevels::forget_lower_half() {
  std::vector<float> heights;
  heights.reserve(kept_.size());
  for (const Peak& peak : kept_) heights.push_back(peak.surprise);
  const auto middle = heights.begin() + static_cast<std::ptrdiff_t>(heights.size() / 2);
  std::ranges::nth_element(heights, middle);
  // Above the median and not at it: of many equal ones, none would be forgotten.
  lowest_ = std::nextafter(*middle, INFINITY);
  std::erase_if(kept_, [this](const Peak& peak) { return peak.surprise < lowest_; });
}

std::vector<EventRecord> SurpriseLevels::events_at(double level) const {
  std::vector<EventRecord> out;
  BoundaryDetector detector;
  Observation frame;
  SurpriseTest::Verdict verdict;
  float confidence = 0;  // of the open cluster's peak
  const auto take = [&](std::optional<EventRecord> event) {
    if (!event) return;
    event->confidence = confidence;
    out.push_back(std::move(*event));
  };
  const Peak* last = nullptr;
  for (const Peak& peak : kept_) {
    if (peak.surprise < std::max(level, lowest_)) continue;
    if (last && peak.run != last->run) {
      take(detector.flush());
    } else if (last) {
      // The frames between two do not reach the level; after this many of them no cluster is open.
      const auto between = std::min<std::int64_t>(peak.frame - last->frame - 1, BoundaryDetector::kConfirmFrames);
      verdict = {};
      for (std::int64_t i = 0; i < between; ++i) take(detector.step(frame, verdict).event);
    }
    frame.frame = peak.frame;
    frame.pts = peak.pts;
    frame.t = peak.t;
    verdict = {peak.surprise, 1};
    const BoundaryDetector::Step step = detector.step(frame, verdict);
    if (step.peak_moved) confidence = peak.boundary;
    take(step.event);
    last = &peak;
  }
  take(detector.flush());
  return out;
}

}  // namespace longtake
