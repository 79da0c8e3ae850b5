// Compares events that were found with what is true. Times in seconds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/eval/ground_truth.h"

namespace longtake {

struct TimeSpan {
  double from = 0;
  double to = 0;  // inclusive
};

// Where an event has to lie to hit this boundary: a cut within two frames of it, anything else from two frames before its
// start to two after its end. `times` of all frames of the video. Throws std::invalid_argument if that is empty.
TimeSpan reach(const TrueBoundary& truth, std::span<const double> times);

// How many of the truths are hit: an event hits one truth, and as many are hit as can be.
std::int64_t count_hits(std::vector<TimeSpan> truths, std::vector<double> events);

// 2 hits / (truths + found); NaN where there is neither.
double f1(std::int64_t hits, std::int64_t truths, std::int64_t found);

// Share of the places that `span` could lie at within `whole` in which it holds one of `times` (sorted): how often it
// would be hit by chance.
double chance_of_holding(double span, TimeSpan whole, std::span<const double> times);

}  // namespace longtake
