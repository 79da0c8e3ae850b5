// Small statistics that figures are made with. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace longtake {

// Middle value; of an even count, the mean of the two. Throws std::invalid_argument without values.
double median(std::vector<double> values);

struct MeanAndError {
  double mean = 0;            // NaN without values
  double standard_error = 0;  // of the mean; NaN with fewer than two
};
MeanAndError mean_and_error(std::span<const double> values);

// Probability that one of `positive` is larger than one of `negative`, ties counting half. NaN if either is empty.
double auroc(std::span<const double> positive, std::span<const double> negative);

struct Slope {
  double slope = 0;
  double low = 0, high = 0;  // 99 % interval
};
// How y changes with x, from repeated rounds: y [rounds][x], each round measured in one go, so that what drifts from
// round to round is in none of the differences. The estimate of Theil and Sen, the median of the slopes between all two
// points of a round, where pairs count by how far apart they are; the interval by drawing rounds with replacement
// (1000 times, from a fixed seed). Throws std::invalid_argument with fewer than two points, or x that does not increase.
Slope theil_sen(std::span<const double> x, const std::vector<std::vector<double>>& y);

}  // namespace longtake
