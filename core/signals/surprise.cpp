#include "core/signals/surprise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace longtake {

SurpriseTest::Verdict SurpriseTest::judge(double error, double t, double dt, bool is_ordinary) {
  if (!std::isfinite(error)) return {std::numeric_limits<float>::quiet_NaN(), 0};
  const double magnitude = std::sqrt(std::max(error, 0.0));
  const double z = scale_.standing(magnitude);
  if (is_ordinary) scale_.add(magnitude, t);

  dt = std::clamp(dt, 1e-3, 10.0);
  frame_seconds_ += 0.05 * (dt - frame_seconds_);
  const double excess = z - kTailStart;
  const double rate = excess > 0 ? tail_share_ * std::exp(-excess / tail_excess_) : 1.0;
  const double boundary = 1 / (1 + kReferenceSeconds / frame_seconds_ * rate);

  double starts_cluster = 0;
  if (excess > 0) {
    if (cluster_excess_ == 0) starts_cluster = 1;
    cluster_excess_ = std::max(cluster_excess_, excess);
    cluster_likely_ = cluster_likely_ || boundary >= 0.5;
  } else if (cluster_excess_ > 0) {
    if (!cluster_likely_) {
      const double surplus = std::min(cluster_excess_, 3 * tail_excess_) - tail_excess_;
      tail_excess_ = std::clamp(tail_excess_ + surplus / kExcessClusters, 0.5, 10.0);
    }
    cluster_excess_ = 0;
    cluster_likely_ = false;
  }
  tail_share_ += (1 - std::exp(-dt / kShareSeconds)) * (starts_cluster - tail_share_);
  tail_share_ = std::max(tail_share_, 1e-3);
  return {static_cast<float>(z), static_cast<float>(boundary)};
}

}  // namespace longtake
