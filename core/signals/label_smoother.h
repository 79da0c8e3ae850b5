// From labels frame by frame to the times where what is going on changes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace longtake {

// Looks at scores averaged over the last kMeanSeconds. Another label takes over when it was the best for kLeastSeconds
// without a break, having led by kLead at their beginning, and does so from that beginning on. So no stretch between two
// changes is shorter than kLeastSeconds, and two labels that take turns faster change nothing. Streaming, fixed memory.
class LabelSmoother {
 public:
  static constexpr double kMeanSeconds = 0.3;
  static constexpr double kLeastSeconds = 0.5;
  static constexpr double kLead = 0.1;  // of the scores, which add to 1

  explicit LabelSmoother(std::size_t labels) : mean_(labels, 0) {}

  struct Step {
    bool candidate = false;  // from this frame on another label may have taken over
    bool withdrawn = false;  // the candidate before was none
    bool changed = false;    // the candidate has taken over
  };
  // `scores` [labels]; `dt` seconds since the frame before, 0 at a start.
  Step step(std::span<const float> scores, double dt);
  // Time breaks off: begins anew.
  void discontinue();

  template <class Archive>
  void archive(Archive& a) {
    a("mean", mean_);
    a("frames", frames_);
    a("now", now_);
    a("next", next_);
    a("leads_for", leads_for_);
  }

 private:
  std::vector<double> mean_;      // [labels]
  std::int64_t frames_ = 0;       // since the start
  std::int64_t now_ = 0;          // label
  std::int64_t next_ = -1;        // candidate; -1: none
  double leads_for_ = 0;          // seconds
};

}  // namespace longtake
