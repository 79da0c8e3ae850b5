#include "models/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "models/train/random.h"

namespace longtake {
namespace {

struct Weighted {
  double value = 0;
  double weight = 0;
  std::size_t round = 0;
};

// The least value that half of the weight does not exceed. `sorted` by value; each counts as often as its round was drawn.
double weighted_median(const std::vector<Weighted>& sorted, const std::vector<double>& drawn) {
  double all = 0, below = 0;
  for (const Weighted& one : sorted) all += one.weight * drawn[one.round];
  for (const Weighted& one : sorted) {
    below += one.weight * drawn[one.round];
    if (2 * below >= all) return one.value;
  }
  return sorted.back().value;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("median: no values");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

MeanAndError mean_and_error(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() < 2 ? NAN : std::sqrt(squares / (n - 1) / n)};
}

double auroc(std::span<const double> positive, std::span<const double> negative) {
  double won = 0;
  for (const double p : positive) {
    for (const double n : negative) won += p > n ? 1.0 : p == n ? 0.5 : 0.0;
  }
  return won / (static_cast<double>(positive.size()) * static_cast<double>(negative.size()));
}

Slope theil_sen(std::span<const double> x, const std::vector<std::vector<double>>& y) {
  if (x.size() < 2 || y.empty()) throw std::invalid_argument("theil_sen: it takes two points and a round");
  std::vector<Weighted> slopes;
  for (std::size_t round = 0; round < y.size(); ++round) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t j = i + 1; j < x.size(); ++j) {
        const double apart = x[j] - x[i];
        if (!(apart > 0)) throw std::invalid_argument("theil_sen: x must increase");
        slopes.push_back({(y[round].at(j) - y[round].at(i)) / apart, apart, round});
      }
    }
  }
  std::sort(slopes.begin(), slopes.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });

  constexpr int kDraws = 1000;
  constexpr double kOutside = 0.005;  // on either side
  Random random{0x7468656973656eULL};
  std::vector<double> drawn(y.size(), 1.0), estimates;
  Slope out{weighted_median(slopes, drawn), 0, 0};
  for (int draw = 0; draw < kDraws; ++draw) {
    std::fill(drawn.begin(), drawn.end(), 0.0);
    for (std::size_t i = 0; i < y.size(); ++i) ++drawn[static_cast<std::size_t>(random.below(std::ssize(y)))];
    estimates.push_back(weighted_median(slopes, drawn));
  }
  std::sort(estimates.begin(), estimates.end());
  out.low = estimates[static_cast<std::size_t>(kOutside * kDraws)];
  out.high = estimates[static_cast<std::size_t>((1 - kOutside) * kDraws) - 1];
  return out;
}

}  // namespace longtake
