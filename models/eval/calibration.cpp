#include "models/eval/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "models/eval/statistics.h"
#include "models/train/random.h"

namespace longtake {
namespace {

std::vector<double> drawn(const std::vector<std::vector<double>>& groups, Random& random) {
  std::vector<double> out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& group = groups[static_cast<std::size_t>(random.below(std::ssize(groups)))];
    out.insert(out.end(), group.begin(), group.end());
  }
  return out;
}

}  // namespace

double calibration_error(std::span<const Judged> answers) {
  if (answers.empty()) throw std::invalid_argument("calibration_error: no answers");
  constexpr int kSteps = 10;
  std::array<double, kSteps> said{}, was{};
  for (const Judged& one : answers) {
    const auto step = static_cast<std::size_t>(std::clamp(static_cast<int>(one.probability * kSteps), 0, kSteps - 1));
    said[step] += one.probability;
    was[step] += one.seen ? 1 : 0;
  }
  double sum = 0;
  for (std::size_t i = 0; i < kSteps; ++i) sum += std::abs(said[i] - was[i]);
  return sum / static_cast<double>(answers.size());
}

Interval auroc_interval(const std::vector<std::vector<double>>& positive, const std::vector<std::vector<double>>& negative) {
  if (positive.empty() || negative.empty()) throw std::invalid_argument("auroc_interval: no groups");
  constexpr int kDraws = 1000;
  Random random{0x6175726f63ULL};
  std::vector<double> areas;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto seen = drawn(positive, random);
    areas.push_back(auroc(seen, drawn(negative, random)));
  }
  std::ranges::sort(areas);
  const auto at = [&](double share) { return areas[static_cast<std::size_t>(share * (kDraws - 1))]; };
  return {at(0.025), at(0.975)};
}

}  // namespace longtake
