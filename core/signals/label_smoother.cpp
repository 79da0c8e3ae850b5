#include "core/signals/label_smoother.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace longtake {

LabelSmoother::Step LabelSmoother::step(std::span<const float> scores, double dt) {
  if (scores.size() != mean_.size()) throw std::invalid_argument("LabelSmoother: another number of labels");
  ++frames_;
  const double share = std::max(1 - std::exp(-dt / kMeanSeconds), 1 / static_cast<double>(frames_));
  for (std::size_t i = 0; i < mean_.size(); ++i) mean_[i] += share * (scores[i] - mean_[i]);
  const std::int64_t best = std::max_element(mean_.begin(), mean_.end()) - mean_.begin();
  Step out;
  if (frames_ == 1) now_ = best;

  if (next_ >= 0 && best == next_) {
    leads_for_ += dt;
  } else {
    out.withdrawn = next_ >= 0;
    next_ = -1;
    const auto score = [this](std::int64_t label) { return mean_[static_cast<std::size_t>(label)]; };
    if (best != now_ && score(best) >= score(now_) + kLead) {
      out.candidate = true;
      next_ = best;
      leads_for_ = 0;
    }
  }
  // A sum of frame times that is short by rounding only is long enough.
  if (next_ >= 0 && leads_for_ >= kLeastSeconds - 1e-9) {
    out.changed = true;
    now_ = next_;
    next_ = -1;
  }
  return out;
}

void LabelSmoother::discontinue() {
  std::fill(mean_.begin(), mean_.end(), 0);
  frames_ = 0;
  now_ = 0;
  next_ = -1;
  leads_for_ = 0;
}

}  // namespace longtake
