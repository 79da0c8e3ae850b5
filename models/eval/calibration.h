// How good answers of the kind "0.8" are: whether they rank, and whether they mean what they say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace longtake {

// A probability and what was true.
struct Judged {
  double probability = 0;
  bool seen = false;
};

// Expected calibration error: answers in ten equal steps of probability, the difference between the mean answer and the
// share that was true in each, mean over answers (Naeini, Cooper and Hauskrecht 2015). Throws std::invalid_argument for none.
double calibration_error(std::span<const Judged> answers);

struct Interval {
  double low = 0, high = 0;
};
// Of the AUROC: 95 % of a bootstrap's draws over groups (clips), with all answers of a group drawn together. `positive` and
// `negative` hold the scores of each group. 1,000 draws from a fixed seed.
Interval auroc_interval(const std::vector<std::vector<double>>& positive, const std::vector<std::vector<double>>& negative);

}  // namespace longtake
