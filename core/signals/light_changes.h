// Changes of light that are no change of scene: a flash, which is gone at once, and a lamp or an exposure that stays.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/signals/observation.h"

namespace longtake {

// Judged on the thumbnail, in seconds, so that the frame rate does not matter. Brightness that jumps from one frame to the
// next opens a candidate against the frame before it. If the picture is back within kFlashSeconds, that was a flash; if it
// is still another brightness after kLightSeconds, but the same picture (its levels correlate), the light changed. Anything
// else, such as a cut to a brighter shot, is neither. `score` is the jump, as a fraction of full brightness.
class LightChanges {
 public:
  static constexpr double kJump = 0.06;           // of the mean brightness, 0..1, between two frames
  static constexpr double kBack = 0.05;           // mean change of a level within which a picture is the one before
  static constexpr double kSame = 0.8;            // correlation of levels above which it is the same in another light
  static constexpr double kFlashSeconds = 0.5;
  static constexpr double kLightSeconds = 1.0;

  void step(const Observation& frame, std::vector<EventRecord>& events);
  // Nothing is compared across a break.
  void flush();

  template <class Archive>
  void archive(Archive& a) {
    a("has_last", has_last_);
    a("last", last_);
    a("open", open_);
    a("before", before_);
    a("frame", frame_);
    a("pts", pts_);
    a("t", t_);
    a("last_frame", last_frame_);
    a("jump", jump_);
  }

 private:
  EventRecord event(const char* kind) const;

  bool has_last_ = false;
  Thumbnail last_{};
  // The candidate.
  bool open_ = false;
  Thumbnail before_{};  // the picture it is compared with
  std::int64_t frame_ = 0, pts_ = 0;
  double t_ = 0;
  std::int64_t last_frame_ = 0;
  double jump_ = 0;
};

}  // namespace longtake
