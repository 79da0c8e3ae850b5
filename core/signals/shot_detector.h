// From what the shot head says, slot by slot, to events: cuts and gradual changes of shot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/signals/observation.h"
#include "core/signals/segmenter.h"

namespace longtake {

// The frames of a slot that waits for its verdict.
struct ShotSlot {
  std::int64_t frame = 0;  // the one at which the picture changes most
  std::int64_t pts = 0;
  double t = 0;
  std::int64_t last = 0;  // of the slot
  // From `frame` on; what comes before it in its slot is in the slot before:
  Stretch stretch;
  std::vector<double> labels;  // sums of the frames' scores; filled in by take()
  double seconds = 0;

  template <class Archive>
  void archive(Archive& a) {
    a("frame", frame);
    a("pts", pts);
    a("t", t);
    a("last", last);
    a("stretch", stretch);
    a("seconds", seconds);
  }
};

// Slots on their way from being seen to being judged. Fixed memory.
class ShotSlots {
 public:
  // From now on frames come with so many labels. Their sums are part of a state of their own: others may watch without.
  void watch_labels(std::size_t labels);
  std::vector<double>& label_sums() noexcept { return label_sums_; }

  // Throws std::invalid_argument on another number of labels.
  void add(const Observation& frame, double surprise);
  // The oldest one that has ended. Throws std::logic_error if there is none.
  ShotSlot take();
  // The frames after the last slot that has ended. Then all begins anew.
  ShotSlot take_rest();

  template <class Archive>
  void archive(Archive& a);

 private:
  static constexpr std::int64_t kPlaces = kShotDelay + 2;  // the waiting ones, the one being judged, the open one
  std::size_t place(std::int64_t i) const { return static_cast<std::size_t>((first_ + i) % kPlaces); }
  std::span<double> sums(std::size_t place) { return std::span(label_sums_).subspan(place * labels_, labels_); }
  ShotSlot take(std::size_t place);

  std::size_t labels_ = 0;
  std::array<ShotSlot, kPlaces> slots_;
  std::vector<double> label_sums_;  // [kPlaces][labels]
  std::int64_t first_ = 0;
  std::int64_t ended_ = 0;  // place(ended_) is open
};

// Slots whose transition is likelier than not make a run; kQuiet others end it, so that a gap in a dissolve does not make it
// two. A run is one event: a cut at its likeliest cut, if that is likelier than not, otherwise a gradual change at the frame
// at which most changes, over the whole run, if one of its slots is as likely as kSure. That bar is there since the films that
// the head learned from change every few seconds, and what it watches may not change in hours: what is likelier than not there
// is not so here. A cut has enough to show for itself. (One slot that is likely and no cut is neither: no gradual change is so
// short, and a cut has a last frame before it.) Certain kShotDelay + kQuiet slots after its last one.
class ShotDetector {
 public:
  static constexpr float kSure = 0.9F;
  static constexpr std::int64_t kQuiet = 3;
  static constexpr std::int64_t kLongestRun = 128;  // then it ends all the same

  struct Step {
    bool peak_moved = false;  // this slot is where the event would be, by what is known now
    std::optional<EventRecord> event;
  };
  Step step(const ShotSlot& slot, const ShotVerdict& verdict);
  std::optional<EventRecord> flush();

  template <class Archive>
  void archive(Archive& a) {
    a("open", open_);
    a("length", length_);
    a("quiet", quiet_);
    a("likely", likely_);
    a("frame", frame_);
    a("pts", pts_);
    a("t", t_);
    a("span", span_);
    a("cut", cut_);
    a("change", change_);
    a("likeliest", likeliest_);
  }

 private:
  bool open_ = false;
  std::int64_t length_ = 0, quiet_ = 0, likely_ = 0;
  // Of the run's peak.
  std::int64_t frame_ = 0, pts_ = 0;
  double t_ = 0;
  float cut_ = 0, change_ = 0;
  std::array<std::int64_t, 2> span_{};
  float likeliest_ = 0;  // of its transitions
};

template <class Archive>
void ShotSlots::archive(Archive& a) {
  constexpr std::array<const char*, kPlaces> kNames{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  for (std::size_t i = 0; i < slots_.size(); ++i) a(kNames[i], slots_[i]);
  a("first", first_);
  a("ended", ended_);
}

}  // namespace longtake
