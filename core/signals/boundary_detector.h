// From boundary probabilities to boundary events: one event per cluster, at its most surprising frame.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/signals/observation.h"
#include "core/signals/surprise.h"

namespace longtake {

// A frame whose probability reaches one half opens a cluster. While the cluster is open, a more surprising frame takes
// over as its peak; after kConfirmFrames frames without one, or kLongestCluster frames in all, the event is certain.
// So an event comes at least kConfirmFrames after its frame: a flash gives one event, not two.
class BoundaryDetector {
 public:
  static constexpr int kConfirmFrames = 4;
  static constexpr int kLongestCluster = 24;

  // What this frame changes. `peak_moved`: this frame is now the cluster's peak. `event`: certain now.
  struct Step {
    bool peak_moved = false;
    std::optional<EventRecord> event;
  };

  Step step(const Observation& frame, const SurpriseTest::Verdict& verdict);
  // The stream ends or breaks off here: an open cluster becomes an event at once.
  std::optional<EventRecord> flush();

  template <class Archive>
  void archive(Archive& a) {
    a("open", open_);
    a("frame", peak_.frame);
    a("pts", peak_.pts);
    a("t", peak_.t);
    a("score", peak_.score);
    a("confidence", peak_.confidence);
    a("span", peak_.span);
    a("since_peak", since_peak_);
    a("length", length_);
  }

 private:
  bool open_ = false;
  EventRecord peak_;
  std::int64_t since_peak_ = 0;
  std::int64_t length_ = 0;
};

}  // namespace longtake
