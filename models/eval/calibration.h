// How good answers of the kind "0.8" are: whether they rank, and whether they mean what they say.
#pragma once

#include <span>

namespace longtake {

// A probability and what was true.
struct Judged {
  double probability = 0;
  bool seen = false;
};

// Expected calibration error: answers in ten equal steps of probability, the difference between the mean answer and the
// share that was true in each, mean over answers (Naeini, Cooper and Hauskrecht 2015). Throws std::invalid_argument for none.
double calibration_error(std::span<const Judged> answers);

}  // namespace longtake
