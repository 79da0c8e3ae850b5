#include "models/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "models/train/random.h"

namespace longtake {
namespace {

struct Weighted {
  double value = 0;
  double weight = 0;
  std::size_t round = 0;
};

// The least value that half of the weight does not exceed. `sorted` by value; each counts as often as its round was drawn.
double weighted_median(const std::vector<Weighted>& sorted, std::span<const double> drawn) {
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
  std::vector<Ranking::Scored> scored;
  for (const double score : positive) scored.push_back({score, true, 0});
  for (const double score : negative) scored.push_back({score, false, 0});
  return Ranking(std::move(scored)).figures().auroc;
}

Ranking::Ranking(std::vector<Scored> scored) : scored_(std::move(scored)) {
  std::erase_if(scored_, [](const Scored& one) { return std::isnan(one.score); });
  std::sort(scored_.begin(), scored_.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
}

Ranking::Figures Ranking::figures(std::span<const double> weights) const {
  double positives = 0, negatives = 0;  // so far, from the highest score down
  double won = 0;                       // pairs in which the positive is the higher one; ties count half
  double area = 0;                      // Σ positives of a step × precision after it
  for (auto step = scored_.begin(); step != scored_.end();) {
    double here = 0, against = 0;
    const double score = step->score;
    for (; step != scored_.end() && step->score == score; ++step) {
      (step->positive ? here : against) += weights.empty() ? 1 : weights[step->group];
    }
    won += against * (positives + here / 2);
    positives += here;
    negatives += against;
    if (here > 0) area += here * positives / (positives + negatives);
  }
  if (!(positives > 0 && negatives > 0)) return {NAN, NAN};
  return {won / (positives * negatives), area / positives};
}

std::vector<Interval> bootstrap(std::size_t groups, double share, std::uint64_t seed,
                                const std::function<std::vector<double>(std::span<const double> drawn)>& figures) {
  constexpr int kDraws = 1000;
  Random random{seed};
  std::vector<double> drawn(groups, 1.0);
  std::vector<std::vector<double>> estimates(figures(drawn).size());
  for (int draw = 0; groups > 1 && draw < kDraws; ++draw) {
    std::fill(drawn.begin(), drawn.end(), 0.0);
    for (std::size_t i = 0; i < groups; ++i) ++drawn[static_cast<std::size_t>(random.below(std::ssize(drawn)))];
    const auto now = figures(drawn);
    for (std::size_t f = 0; f < estimates.size(); ++f) {
      if (!std::isnan(now.at(f))) estimates[f].push_back(now[f]);
    }
  }
  std::vector<Interval> out;
  for (auto& values : estimates) {
    if (values.empty()) {
      out.push_back({NAN, NAN});
      continue;
    }
    std::sort(values.begin(), values.end());
    const auto outside = static_cast<std::size_t>(std::lround((1 - share) / 2 * static_cast<double>(values.size())));
    out.push_back({values[outside], values[values.size() - 1 - outside]});
  }
  return out;
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

  const std::vector<double> all(y.size(), 1.0);
  const auto slope = [&](std::span<const double> drawn) { return std::vector<double>{weighted_median(slopes, drawn)}; };
  const Interval interval = bootstrap(y.size(), 0.99, 0x7468656973656eULL, slope).front();
  return {weighted_median(slopes, all), interval.low, interval.high};
}

}  // namespace longtake
