// Where a number stands against its own recent past, in robust standard deviations.
#pragma once

#include <array>
#include <cstdint>

namespace longtake {

// For magnitudes (values from 0 up). Median and MAD of the last kSamples values, taken at most every `spacing` seconds so
// that the window covers about the same time at any frame rate (10 s at 25 frames a second, never less). Fixed memory.
// While few values are known the spread leans on a prior, so that the first frames of a video raise no alarm, and it
// never falls below a least one, so that a still picture's noise is no news. Both grow with the median: what counts as
// a small change depends on how much there is.
class RobustScale {
 public:
  static constexpr int kSamples = 256;
  static constexpr double kSpacing = 0.04;   // seconds
  static constexpr double kPriorWeight = 8;  // samples that the prior is worth
  static constexpr double prior_spread(double median) { return 0.4 * median + 0.03; }
  static constexpr double least_spread(double median) { return 0.08 * median + 0.02; }

  explicit RobustScale(double spacing = kSpacing) : spacing_(spacing) {}

  // Standard deviations above the median of the past; `value` itself is not part of that past. 0 before any sample.
  double standing(double value) const;
  void add(double value, double t);

  template <class Archive>
  void archive(Archive& a) {
    a("ring", ring_);
    a("count", count_);
    a("next", next_);
    a("last_t", last_t_);
  }

 private:
  double spacing_;
  std::array<double, kSamples> ring_{};
  std::int64_t count_ = 0;
  std::int64_t next_ = 0;
  double last_t_ = 0;
};

}  // namespace longtake
