// The shot head at work on a stream of any frame rate.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/pipeline/stages.h"
#include "core/signals/observation.h"
#include "models/shots/shot_head.h"

namespace longtake {

// Frames that come faster than ShotSignals::kSlotRate are put together into slots; the head looks at the last frame of
// each. Which of a slot's frames is the one at which the picture changed is told from the thumbnails. One thread, fixed
// memory.
class ShotWatcher {
 public:
  explicit ShotWatcher(const ShotWeights& weights) : head_(weights) {}

  ShotObservation step(const Encoded& frame, double dt);
  // The stream ends or breaks off here: what is still to be said, of slots that have ended.
  std::vector<ShotVerdict> flush();

  template <class Archive>
  void archive(Archive& a) {
    a("signals", signals_);
    a("head", head_);
    a("changes", changes_);
    a("slots", slots_);
    a("decided", decided_);
    a("slot_begins", slot_begins_);
    a("slot_seconds", slot_seconds_);
    a("sharpest", sharpest_);
    a("any", any_);
    a("last", last_);
  }

 private:
  ShotVerdict verdict(const ShotHead::Logits& logits);

  ShotSignals signals_;
  ShotHead head_;
  std::array<float, kShotDelay + 1> changes_{};  // of the slots that are not yet decided; slot n at n % size
  std::int64_t slots_ = 0;                       // ended since the stream began
  std::int64_t decided_ = 0;                     // of them
  bool slot_begins_ = true;                      // with the next frame
  double slot_seconds_ = 0;                      // since the last one ended
  double sharpest_ = 0;                          // change of the picture within the open slot
  bool any_ = false;                             // there is a frame before
  Thumbnail last_{};
};

}  // namespace longtake
