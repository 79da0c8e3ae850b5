#include "core/signals/surprise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace longtake {

SurpriseTest::Verdict SurpriseTest::judge(double error, double t, double dt) {
  if (!std::isfinite(error)) return {std::numeric_limits<float>::quiet_NaN(), 0};
  const double level = std::log(error + kErrorFloor);
  const double z = scale_.standing(level);
  scale_.add(level, t);

  dt = std::clamp(dt, 1e-3, 10.0);
  const double k = 1 - std::exp(-dt / kMemorySeconds);
  frame_seconds_ += 0.05 * (dt - frame_seconds_);

  const double excess = z - kTailStart;
  const double frames_an_hour = 3600 / frame_seconds_;
  const double n = frames_an_hour * (excess > 0 ? tail_share_ * std::exp(-excess / tail_excess_) : 1.0);
  const double boundary = 1 / (1 + n);

  if (boundary < 0.5) {
    // One frame is worth kMemorySeconds / dt frames of memory, so that ζ and β follow time, not frames.
    tail_share_ += k * ((excess > 0 ? 1.0 : 0.0) - tail_share_);
    tail_share_ = std::max(tail_share_, 1e-3);
    if (excess > 0) {
      // ζ ≈ 0.02 of the frames come by here, hence the larger step.
      const double step = std::min(1.0, k / tail_share_);
      tail_excess_ += step * (std::min(excess, 3 * tail_excess_) - tail_excess_);
      tail_excess_ = std::clamp(tail_excess_, 0.5, 10.0);
    }
  }
  return {static_cast<float>(z), static_cast<float>(boundary)};
}

}  // namespace longtake
