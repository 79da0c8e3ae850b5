#include "core/signals/segmenter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace longtake {

void Stretch::add(const Observation& frame, double surprise) {
  if (frames_ == 0) {
    ordinals_[0] = frame.frame;
    pts_[0] = frame.pts;
    t_[0] = frame.t;
  }
  ++frames_;
  ordinals_[1] = frame.frame;
  pts_[1] = frame.pts;
  t_[1] = frame.t;
  if (std::isfinite(surprise)) {
    surprise_max_ = surprises_ == 0 ? surprise : std::max(surprise_max_, surprise);
    surprise_sum_ += surprise;
    ++surprises_;
  }
  if (!frame.probabilities.empty()) {
    const std::size_t n = std::min(frame.probabilities.size(), probability_sum_.size());
    for (std::size_t i = 0; i < n; ++i) probability_sum_[i] += frame.probabilities[i];
    ++classed_;
  }
}

void Stretch::append(const Stretch& later) {
  if (later.empty()) return;
  if (empty()) {
    *this = later;
    return;
  }
  frames_ += later.frames_;
  ordinals_[1] = later.ordinals_[1];
  pts_[1] = later.pts_[1];
  t_[1] = later.t_[1];
  if (later.surprises_ > 0) {
    surprise_max_ = surprises_ == 0 ? later.surprise_max_ : std::max(surprise_max_, later.surprise_max_);
    surprise_sum_ += later.surprise_sum_;
    surprises_ += later.surprises_;
  }
  for (std::size_t i = 0; i < probability_sum_.size(); ++i) probability_sum_[i] += later.probability_sum_[i];
  classed_ += later.classed_;
}

SegmentRecord Stretch::record(std::vector<NamedScore> (*top_classes)(std::span<const float>)) const {
  SegmentRecord out;
  out.first = ordinals_[0];
  out.last = ordinals_[1];
  out.pts = pts_;
  out.t = t_;
  if (classed_ > 0 && top_classes != nullptr) {
    std::vector<float> mean(probability_sum_.size());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] = static_cast<float>(probability_sum_[i] / static_cast<double>(classed_));
    }
    out.scene = top_classes(mean);
  }
  if (surprises_ > 0) out.surprise = {surprise_sum_ / static_cast<double>(surprises_), surprise_max_};
  return out;
}

Stretch& Segmenter::current(bool starts_candidate) {
  if (starts_candidate) {
    before_.append(std::exchange(since_, {}));
    has_candidate_ = true;
  }
  return has_candidate_ ? since_ : before_;
}

void Segmenter::add(const Observation& frame, double surprise, bool starts_candidate) {
  current(starts_candidate).add(frame, surprise);
}

void Segmenter::add(const Stretch& frames, bool starts_candidate) { current(starts_candidate).append(frames); }

std::optional<Stretch> Segmenter::close_before_candidate() {
  has_candidate_ = false;
  Stretch closed = std::exchange(before_, std::exchange(since_, {}));
  if (closed.empty()) return std::nullopt;
  return closed;
}

std::optional<Stretch> Segmenter::close_all() {
  has_candidate_ = false;
  before_.append(std::exchange(since_, {}));
  if (before_.empty()) return std::nullopt;
  return std::exchange(before_, {});
}

}  // namespace longtake
