#include "models/eval/boundary_match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace longtake {

bool is_boundary(const EventRecord& event) {
  return event.kind == "boundary" || event.kind == "cut" || event.kind == "gradual";
}

bool is_boundary(const TrueBoundary& truth) { return truth.type != "flash_no_boundary"; }

std::int64_t nearest_frame(double t, std::span<const double> times) {
  if (times.empty()) throw std::invalid_argument("nearest_frame: no frames");
  const auto after = std::lower_bound(times.begin(), times.end(), t);
  if (after == times.begin()) return 0;
  if (after == times.end()) {
    const double apart = (times.back() - times.front()) / std::max<double>(1, static_cast<double>(times.size() - 1));
    const double beyond = apart > 0 ? std::round((t - times.back()) / apart) : 0;
    return std::ssize(times) - 1 + static_cast<std::int64_t>(std::min(beyond, 1e9));
  }
  return after - times.begin() - (t - *(after - 1) <= *after - t ? 1 : 0);
}

TimeSpan reach(const TrueBoundary& truth, std::span<const double> times, std::int64_t tolerance) {
  constexpr double kRounding = 1e-6;  // seconds
  constexpr double kNever = std::numeric_limits<double>::infinity();
  if (times.empty()) throw std::invalid_argument("reach: no frames");
  const auto at = [&](std::int64_t frame) {
    return times[static_cast<std::size_t>(std::clamp<std::int64_t>(frame, 0, std::ssize(times) - 1))];
  };
  const auto [start, end] = frames_of(truth, times);
  const std::int64_t around = truth.type == "cut" ? tolerance : kCutTolerance;
  if (start - around >= std::ssize(times)) return {kNever, kNever};
  return {at(start - around) - kRounding, at(end + around) + kRounding};
}

std::vector<std::optional<std::size_t>> match(const std::vector<TimeSpan>& truths, const std::vector<double>& events) {
  const auto in_order = [](std::size_t count, auto less) {
    std::vector<std::size_t> out(count);
    std::iota(out.begin(), out.end(), std::size_t{0});
    std::stable_sort(out.begin(), out.end(), less);
    return out;
  };
  // Whatever ends first has the least choice, and takes the earliest event it can.
  const auto by_end = in_order(truths.size(), [&](auto a, auto b) { return truths[a].to < truths[b].to; });
  auto left = in_order(events.size(), [&](auto a, auto b) { return events[a] < events[b]; });
  std::vector<std::optional<std::size_t>> out(truths.size());
  for (const std::size_t truth : by_end) {
    const auto event = std::lower_bound(left.begin(), left.end(), truths[truth].from,
                                        [&](std::size_t e, double from) { return events[e] < from; });
    if (event == left.end() || events[*event] > truths[truth].to) continue;
    out[truth] = *event;
    left.erase(event);
  }
  return out;
}

std::int64_t count_hits(const std::vector<TimeSpan>& truths, const std::vector<double>& events) {
  const auto matched = match(truths, events);
  return std::count_if(matched.begin(), matched.end(), [](const auto& event) { return event.has_value(); });
}

double f1(double hits, double truths, double found) { return truths + found > 0 ? 2 * hits / (truths + found) : NAN; }

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
