// The stretches between boundaries, each with what was in view and how surprising it was.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/signals/observation.h"

namespace longtake {

// Sums over a stretch of frames.
class Stretch {
 public:
  static constexpr int kClasses = 1000;

  void add(const Observation& frame, double surprise);
  void append(const Stretch& later);
  bool empty() const noexcept { return frames_ == 0; }
  std::int64_t frames() const noexcept { return frames_; }
  // `top_classes` turns mean probabilities [kClasses] into names; null: no scene is reported.
  SegmentRecord record(std::vector<NamedScore> (*top_classes)(std::span<const float>)) const;

  template <class Archive>
  void archive(Archive& a) {
    a("frames", frames_);
    a("ordinals", ordinals_);
    a("pts", pts_);
    a("t", t_);
    a("surprises", surprises_);
    a("surprise_sum", surprise_sum_);
    a("surprise_max", surprise_max_);
    a("classed", classed_);
    a("probability_sum", probability_sum_);
  }

 private:
  std::int64_t frames_ = 0;
  std::array<std::int64_t, 2> ordinals_{};  // first, last
  std::array<std::int64_t, 2> pts_{};
  std::array<double, 2> t_{};
  std::int64_t surprises_ = 0;  // frames that had one
  double surprise_sum_ = 0;
  double surprise_max_ = 0;
  std::int64_t classed_ = 0;
  std::array<double, kClasses> probability_sum_{};
};

// Which frame a boundary lies at becomes certain a few frames late. Until then the frames since the candidate are
// summed apart from those before it, so that nothing has to be kept per frame.
class Segmenter {
 public:
  void add(const Observation& frame, double surprise, bool starts_candidate);
  void add(const Stretch& frames, bool starts_candidate);
  // The boundary candidate became an event: the stretch before it ends.
  std::optional<Stretch> close_before_candidate();
  // The stream ends or breaks off: everything so far is one stretch.
  std::optional<Stretch> close_all();

  template <class Archive>
  void archive(Archive& a) {
    a("before", before_);
    a("since", since_);
    a("has_candidate", has_candidate_);
  }

 private:
  Stretch& current(bool starts_candidate);

  Stretch before_;
  Stretch since_;
  bool has_candidate_ = false;
};

}  // namespace longtake
