// Where surprise reaches a level, for any level, at once: the frames that stand out are kept, and the engine's own rule for
// boundaries is run over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/records/records.h"
#include "core/signals/surprise.h"

namespace longtake {

// Fixed memory. Frames below lowest() are forgotten; it starts where the tail of surprise starts and rises to the median of
// what is kept whenever that is full, so however long a video is, the frames that stand out most are there. A level takes as
// long as there are frames kept.
class SurpriseLevels {
 public:
  explicit SurpriseLevels(std::size_t most = std::size_t{1} << 18) : most_(most) {}

  void clear();
  void add(const FrameRecord& frame);
  void discontinue() { ++run_; }  // the next frame does not follow the last one

  double lowest() const noexcept { return lowest_; }                                 // no lower level can be asked for
  double highest() const noexcept { return highest_; }                               // of all frames
  std::optional<std::int64_t> highest_pts() const noexcept { return highest_pts_; }  // of the first that reaches it

  // The events of BoundaryDetector if a boundary were likely wherever surprise is at least `level`; their confidence is that
  // of the frame. Of a level below lowest(): those of lowest().
  std::vector<EventRecord> events_at(double level) const;

 private:
  struct Peak {
    std::int64_t frame = 0, pts = 0;
    double t = 0;
    float surprise = 0, boundary = 0;
    std::uint32_t run = 0;  // breaks before it
  };
  void forget_lower_half();

  std::size_t most_;
  std::vector<Peak> kept_;  // in the order of frames
  double lowest_ = SurpriseTest::kTailStart, highest_ = 0;
  std::optional<std::int64_t> highest_pts_;
  std::uint32_t run_ = 0;
};

}  // namespace longtake
