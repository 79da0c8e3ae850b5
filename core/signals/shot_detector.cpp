#include "core/signals/shot_detector.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace longtake {

void ShotSlots::add(const Observation& frame, double surprise) {
  ShotSlot& open = place(ended_);
  if (frame.shot->sharpest) {
    // What was thought to begin a new shot still belonged to the old one.
    if (ended_ > 0) place(ended_ - 1).stretch.append(std::exchange(open.stretch, {}));
    open.frame = frame.frame;
    open.pts = frame.pts;
    open.t = frame.t;
  }
  open.stretch.add(frame, surprise);
  open.last = frame.frame;
  if (!frame.shot->ends_slot) return;
  if (++ended_ == kPlaces) throw std::logic_error("ShotSlots: slots come in faster than verdicts");
  place(ended_) = {};
}

ShotSlot ShotSlots::take() {
  if (ended_ == 0) throw std::logic_error("ShotSlots: a verdict without a slot");
  ShotSlot out = std::exchange(place(0), {});
  first_ = (first_ + 1) % kPlaces;
  --ended_;
  return out;
}

Stretch ShotSlots::take_rest() {
  Stretch rest = std::exchange(place(ended_).stretch, {});
  *this = {};
  return rest;
}

ShotDetector::Step ShotDetector::step(const ShotSlot& slot, const ShotVerdict& verdict) {
  Step out;
  const bool likely = verdict.transition >= 0.5F;
  if (!open_ && !likely) return out;
  const bool begins = !std::exchange(open_, true);
  if (begins) {
    length_ = quiet_ = likely_ = 0;
    span_ = {slot.frame, slot.last};
    likeliest_ = 0;
  }
  ++length_;
  quiet_ = likely ? 0 : quiet_ + 1;
  if (likely) {
    ++likely_;
    span_[1] = slot.last;
    likeliest_ = std::max(likeliest_, verdict.transition);
    const bool is_cut = verdict.cut >= 0.5F, was_cut = cut_ >= 0.5F;
    if (begins || (is_cut ? !was_cut || verdict.cut > cut_ : !was_cut && verdict.change > change_)) {
      frame_ = slot.frame;
      pts_ = slot.pts;
      t_ = slot.t;
      cut_ = verdict.cut;
      change_ = verdict.change;
      out.peak_moved = true;
    }
  }
  if (quiet_ >= kQuiet || length_ >= kLongestRun) out.event = flush();
  return out;
}

std::optional<EventRecord> ShotDetector::flush() {
  const bool cut = cut_ >= 0.5F;
  if (!std::exchange(open_, false) || (!cut && likely_ < 2)) return std::nullopt;
  EventRecord event;
  event.kind = cut ? "cut" : "gradual";
  event.frame = frame_;
  event.pts = pts_;
  event.t = t_;
  event.confidence = likeliest_;
  // Log odds; a probability that rounds to 1 has none.
  const double p = std::min<double>(likeliest_, 1 - 1e-6);
  event.score = std::log(p / (1 - p));
  event.span = span_;
  return event;
}

}  // namespace longtake
