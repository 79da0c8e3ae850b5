#include "core/signals/shot_detector.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace longtake {

void ShotSlots::watch_labels(std::size_t labels) {
  labels_ = labels;
  label_sums_.assign(slots_.size() * labels, 0);
}

void ShotSlots::add(const Observation& frame, double surprise) {
  if (frame.labels.size() != labels_) throw std::invalid_argument("ShotSlots: another number of labels");
  const std::size_t here = place(ended_);
  ShotSlot& open = slots_[here];
  if (frame.shot->sharpest) {
    // What was thought to begin a new shot still belonged to the old one.
    if (ended_ > 0) {
      const std::size_t before = place(ended_ - 1);
      const ShotSlot early = take(here);
      slots_[before].stretch.append(early.stretch);
      slots_[before].seconds += early.seconds;
      for (std::size_t i = 0; i < labels_; ++i) sums(before)[i] += early.labels[i];
    }
    open.frame = frame.frame;
    open.pts = frame.pts;
    open.t = frame.t;
  }
  open.stretch.add(frame, surprise);
  open.seconds += frame.dt;
  for (std::size_t i = 0; i < labels_; ++i) sums(here)[i] += frame.labels[i];
  open.last = frame.frame;
  if (!frame.shot->ends_slot) return;
  if (++ended_ == kPlaces) throw std::logic_error("ShotSlots: slots come in faster than verdicts");
}

ShotSlot ShotSlots::take(std::size_t place) {
  ShotSlot out = std::exchange(slots_[place], {});
  out.labels.assign(sums(place).begin(), sums(place).end());
  std::ranges::fill(sums(place), 0);
  return out;
}

ShotSlot ShotSlots::take() {
  if (ended_ == 0) throw std::logic_error("ShotSlots: a verdict without a slot");
  ShotSlot out = take(place(0));
  first_ = (first_ + 1) % kPlaces;
  --ended_;
  return out;
}

ShotSlot ShotSlots::take_rest() {
  ShotSlot rest = take(place(ended_));
  while (ended_ > 0) (void)take();
  first_ = 0;
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
  if (!std::exchange(open_, false) || (!cut && (likely_ < 2 || likeliest_ < kSure))) return std::nullopt;
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
