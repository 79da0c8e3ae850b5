#include "core/signals/robust_scale.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace longtake {
namespace {

constexpr double kMadToSigma = 1.4826;  // of a normal distribution

// The upper median; reorders its input.
double median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double RobustScale::standing(double value) const {
  if (count_ == 0) return 0;
  const auto n = static_cast<std::size_t>(count_);
  std::array<double, kSamples> sorted = ring_;
  const std::span values(sorted.data(), n);
  const double centre = median(values);
  for (double& v : values) v = std::abs(v - centre);
  const double sigma = kMadToSigma * median(values);
  const double weight = static_cast<double>(count_) / (static_cast<double>(count_) + kPriorWeight);
  const double prior = prior_spread(centre);
  const double variance = weight * sigma * sigma + (1 - weight) * prior * prior;
  return (value - centre) / std::max(std::sqrt(variance), least_spread(centre));
}

void RobustScale::add(double value, double t) {
  // A sample that is late by rounding only still counts; time that runs backwards (another video) counts at once.
  if (count_ > 0 && t >= last_t_ && t - last_t_ < spacing_ * 0.98) return;
  ring_[static_cast<std::size_t>(next_)] = value;
  next_ = (next_ + 1) % kSamples;
  count_ = std::min<std::int64_t>(count_ + 1, kSamples);
  last_t_ = t;
}

}  // namespace longtake
