#include "models/eval/boundary_match.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace longtake {

TimeSpan reach(const TrueBoundary& truth, std::span<const double> times) {
  constexpr std::int64_t kTolerance = 2;  // frames
  constexpr double kRounding = 1e-6;      // seconds
  if (times.empty()) throw std::invalid_argument("reach: no frames");
  const auto at = [&](std::int64_t frame) {
    return times[static_cast<std::size_t>(std::clamp<std::int64_t>(frame, 0, std::ssize(times) - 1))];
  };
  return {at(truth.start_frame - kTolerance) - kRounding, at(truth.end_frame + kTolerance) + kRounding};
}

std::int64_t count_hits(std::vector<TimeSpan> truths, std::vector<double> events) {
  // Whatever ends first has the least choice, and takes the earliest event it can.
  std::sort(truths.begin(), truths.end(), [](const TimeSpan& a, const TimeSpan& b) { return a.to < b.to; });
  std::sort(events.begin(), events.end());
  std::int64_t hits = 0;
  for (const TimeSpan& truth : truths) {
    const auto event = std::lower_bound(events.begin(), events.end(), truth.from);
    if (event == events.end() || *event > truth.to) continue;
    events.erase(event);
    ++hits;
  }
  return hits;
}

double f1(std::int64_t hits, std::int64_t truths, std::int64_t found) {
  return truths + found > 0 ? 2 * static_cast<double>(hits) / static_cast<double>(truths + found) : NAN;
}

double chance_of_holding(double span, TimeSpan whole, std::span<const double> times) {
  const double last = whole.to - span;  // where the span can begin, from whole.from on
  if (last <= whole.from) return times.empty() ? 0 : 1;
  double covered = 0, up_to = whole.from;
  for (const double time : times) {  // is held by spans that begin in [time − span, time]
    const double first = std::max(up_to, time - span), end = std::min(last, time);
    if (end > first) covered += end - first;
    up_to = std::max(up_to, end);
  }
  return covered / (last - whole.from);
}

}  // namespace longtake
