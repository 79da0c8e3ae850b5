// Compares events that were found with what is true. Times in seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/records/records.h"
#include "models/eval/ground_truth.h"

namespace longtake {

// Events of kinds boundary, cut and gradual are boundaries, all others are not; and so is every truth but a distractor.
bool is_boundary(const EventRecord& event);
bool is_boundary(const TrueBoundary& truth);

// The frame that lies nearest to this time; past the last one, as if more came at the mean distance. Throws
// std::invalid_argument without frames.
std::int64_t nearest_frame(double t, std::span<const double> times);

// First frame and end of a stretch of the truth in a video whose frames lie at `times`. What is given in seconds is put at
// the frames nearest to them.
struct FrameSpan {
  std::int64_t start = 0;
  std::int64_t end = 0;
};
template <class Stretch>  // TrueBoundary, TrueAnomaly
FrameSpan frames_of(const Stretch& truth, std::span<const double> times) {
  if (!truth.seconds) return {truth.start_frame, truth.end_frame};
  return {nearest_frame(truth.seconds->from, times), nearest_frame(truth.seconds->to, times)};
}

// Where an event has to lie to hit this boundary, both ends inclusive: a cut within `tolerance` frames of it, anything else
// from two frames before its start to two after its end. `times` of all frames of the video; past the last one nothing is in
// reach. Throws std::invalid_argument without frames.
inline constexpr std::int64_t kCutTolerance = 2;  // frames
TimeSpan reach(const TrueBoundary& truth, std::span<const double> times, std::int64_t tolerance = kCutTolerance);

// Which event hits each of the truths, none or one: an event hits one truth, and as many are hit as can be.
std::vector<std::optional<std::size_t>> match(const std::vector<TimeSpan>& truths, const std::vector<double>& events);
std::int64_t count_hits(const std::vector<TimeSpan>& truths, const std::vector<double>& events);

// 2 hits / (truths + found); NaN where there is neither.
double f1(double hits, double truths, double found);

// Share of the places that `span` could lie at within `whole` in which it holds one of `times` (sorted): how often it
// would be hit by chance.
double chance_of_holding(double span, TimeSpan whole, std::span<const double> times);

}  // namespace longtake
