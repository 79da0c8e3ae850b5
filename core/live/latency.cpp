#include "core/live/latency.h"

#include <algorithm>
#include <cmath>

namespace longtake {
namespace {

constexpr double kFirst_s = 1e-4, kWider = 1.05;

}  // namespace

double Latency::edge(std::size_t bucket) { return kFirst_s * std::pow(kWider, static_cast<double>(bucket)); }

void Latency::add(double seconds) {
  if (!(seconds > 0)) seconds = 0;
  const double bucket = seconds <= kFirst_s ? 0 : std::ceil(std::log(seconds / kFirst_s) / std::log(kWider));
  ++buckets_[static_cast<std::size_t>(std::min(bucket, static_cast<double>(kBuckets - 1)))];
  ++count_;
  sum_ += seconds;
}

double Latency::quantile_s(double q) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::max<std::int64_t>(1, std::llround(std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_))));
  std::int64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += buckets_[i];
    if (below >= wanted) return edge(i);
  }
  return edge(kBuckets - 1);
}

}  // namespace longtake
