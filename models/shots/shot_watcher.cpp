#include "models/shots/shot_watcher.h"

#include <cmath>
#include <cstdlib>

namespace longtake {
namespace {

double picture_change(const Thumbnail& a, const Thumbnail& b) {
  int sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int(a[i]) - int(b[i]));
  return double(sum) / (255.0 * double(a.size()));
}

float probability(float logit) { return 1 / (1 + std::exp(-logit)); }

// The change that tells how fast a gradual one is: of the embedding, over 0.16 s.
constexpr std::size_t kSpeed = 2 * ShotSignals::kKinds + 2;

}  // namespace

ShotVerdict ShotWatcher::verdict(const ShotHead::Logits& logits) {
  // Slots are decided in order, and changes_ is as long as that can take.
  const std::int64_t slot = decided_++;
  return {probability(logits.transition), probability(logits.cut), changes_[static_cast<std::size_t>(slot) % changes_.size()]};
}

ShotObservation ShotWatcher::step(const Encoded& frame, double dt) {
  ShotObservation out;
  const double change = any_ ? picture_change(frame.thumbnail, last_) : 0;
  last_ = frame.thumbnail;
  slot_seconds_ += dt;
  const bool first = !any_;
  any_ = true;
  if (first || slot_begins_ || change > sharpest_) {
    out.sharpest = true;
    sharpest_ = change;
  }
  slot_begins_ = false;
  if (!first && slot_seconds_ < 1 / ShotSignals::kSlotRate) return out;

  out.ends_slot = true;
  const ShotSignals::Values signals = signals_.step(frame, slot_seconds_);
  changes_[static_cast<std::size_t>(slots_++) % changes_.size()] = signals[kSpeed];
  slot_seconds_ = 0;
  slot_begins_ = true;
  if (const auto logits = head_.step(signals)) out.verdicts.push_back(verdict(*logits));
  return out;
}

std::vector<ShotVerdict> ShotWatcher::flush() {
  std::vector<ShotVerdict> out;
  for (const ShotHead::Logits& logits : head_.flush(signals_.still())) out.push_back(verdict(logits));
  signals_.forget();
  slots_ = decided_ = 0;
  slot_seconds_ = 0;
  slot_begins_ = true;
  any_ = false;
  return out;
}

}  // namespace longtake
