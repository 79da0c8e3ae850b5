// Small statistics that figures are made with. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

// How well scores tell positive from negative, for groups that count more or less often. What has no score (NaN) is left
// out.
class Ranking {
 public:
  struct Scored {
    double score = 0;
    bool positive = false;
    std::size_t group = 0;
  };
  explicit Ranking(std::vector<Scored> scored);

  // NaN where there is no positive or no negative.
  struct Figures {
    double auroc = 0;
    double average_precision = 0;  // Σ (rise in recall) × precision over all thresholds, ties in one step
  };
  // `weights` [groups]: how often each counts; empty: once.
  Figures figures(std::span<const double> weights = {}) const;

 private:
  std::vector<Scored> scored_;  // highest first
};

struct Interval {
  double low = 0, high = 0;
};
// Intervals of figures by drawing groups with replacement, 1000 times from a fixed seed. `figures` takes how often each
// group was drawn [groups] and gives always as many; a draw in which one is NaN is left out for it. Both ends are NaN with
// fewer than two groups, or where no draw gave a number.
std::vector<Interval> bootstrap(std::size_t groups, double share, std::uint64_t seed,
                                const std::function<std::vector<double>(std::span<const double> drawn)>& figures);

struct Slope {
  double slope = 0;
  double low = 0, high = 0;  // 99 % interval
};
// How y changes with x, from repeated rounds: y [rounds][x], each round measured in one go, so that what drifts from
// round to round is in none of the differences. The estimate of Theil and Sen, the median of the slopes between all two
// points of a round, where pairs count by how far apart they are; the interval by drawing rounds with replacement
// (bootstrap()). Throws std::invalid_argument with fewer than two points, or x that does not increase.
Slope theil_sen(std::span<const double> x, const std::vector<std::vector<double>>& y);

}  // namespace longtake
