#include "models/eval/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace longtake {

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

}  // namespace longtake
