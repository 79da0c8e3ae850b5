#include "models/eval/boundaries.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace longtake {
namespace {

enum Kind : std::size_t { kAll, kCut, kDissolve, kFade };  // indices of kBoundaryKinds

// Of a truth, beside all.
std::vector<Kind> kinds_of_truth(const std::string& type) {
  if (type == "cut") return {kAll, kCut};
  if (type == "dissolve") return {kAll, kDissolve};
  if (type.starts_with("fade")) return {kAll, kFade};
  return {kAll};
}

// What a false alarm counts against.
std::vector<Kind> kinds_of_event(const std::string& kind) {
  if (kind == "cut") return {kAll, kCut};
  if (kind == "gradual") return {kAll, kDissolve, kFade};
  return {kAll, kCut, kDissolve, kFade};
}

bool holds(TimeSpan span, double t) { return t >= span.from && t <= span.to; }

std::vector<double> figures_of(const BoundaryCounts& counts) {
  std::vector<double> out;
  for (const auto& kind : counts.kinds) out.insert(out.end(), {kind.precision(), kind.recall(), kind.f1()});
  out.push_back(counts.false_alarms_per_hour());
  return out;
}

void join(BoundaryEvaluation::Judged& judged) {
  const auto weighted = [&](std::span<const double> weights) {
    BoundaryCounts sum;
    for (std::size_t i = 0; i < judged.by_video.size(); ++i) sum.add(judged.by_video[i], weights[i]);
    return sum;
  };
  judged.counts = weighted(std::vector<double>(judged.by_video.size(), 1.0));
  judged.intervals =
      video_intervals(judged.by_video.size(), [&](std::span<const double> drawn) { return figures_of(weighted(drawn)); });
}

}  // namespace

void BoundaryCounts::add(const BoundaryCounts& other, double weight) {
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    kinds[k].hits += weight * other.kinds[k].hits;
    kinds[k].truth += weight * other.kinds[k].truth;
    kinds[k].found += weight * other.kinds[k].found;
  }
  false_alarms += weight * other.false_alarms;
  flashes += weight * other.flashes;
  flash_false_alarms += weight * other.flash_false_alarms;
  seconds += weight * other.seconds;
}

BoundaryCounts count_boundaries(const std::vector<TrueBoundary>& truths, const std::vector<FoundBoundary>& events,
                                std::span<const double> times, TimeSpan asked_for, std::int64_t tolerance) {
  const auto at = [&](std::int64_t frame) {
    return times[static_cast<std::size_t>(std::min(frame, std::ssize(times) - 1))];
  };
  BoundaryCounts out;
  std::vector<TimeSpan> reaches, flashes;
  std::vector<std::vector<Kind>> kinds;  // of each reach; none: it is not counted
  for (const TrueBoundary& truth : truths) {
    const TimeSpan around = reach(truth, times, tolerance);
    if (!is_boundary(truth)) {
      flashes.push_back(around);
      continue;
    }
    const auto [start, end] = frames_of(truth, times);
    const bool counts = at(start) > asked_for.from && at(end) <= asked_for.to;
    reaches.push_back(around);
    kinds.push_back(counts ? kinds_of_truth(truth.type) : std::vector<Kind>());
  }

  std::vector<double> event_times;
  for (const FoundBoundary& event : events) event_times.push_back(event.t);
  const auto matched = match(reaches, event_times);
  std::vector<bool> used(events.size());
  for (std::size_t i = 0; i < reaches.size(); ++i) {
    for (const Kind kind : kinds[i]) {
      ++out.kinds[kind].truth;
      if (matched[i]) ++out.kinds[kind].hits;
      if (matched[i]) ++out.kinds[kind].found;
    }
    if (matched[i]) used[*matched[i]] = true;
  }
  std::vector<double> alarms;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (used[i]) continue;
    for (const Kind kind : kinds_of_event(events[i].kind)) ++out.kinds[kind].found;
    alarms.push_back(events[i].t);
  }
  out.false_alarms = static_cast<double>(alarms.size());
  for (const TimeSpan& flash : flashes) {
    if (!holds(asked_for, flash.from)) continue;
    ++out.flashes;
    if (std::any_of(alarms.begin(), alarms.end(), [&](double t) { return holds(flash, t); })) ++out.flash_false_alarms;
  }
  return out;
}

Result<BoundaryEvaluation> evaluate_boundaries(const BoundaryRequest& request, const Note& note, std::stop_token stop) {
  const auto read = read_boundaries(request.of.truth, request.of.split);
  if (!read) return read.error();
  const auto truths = by_video(*read);
  const auto results = read_watched(
      request.of, [&](const std::string& video) { return truths.contains(video); }, note);
  if (!results) return results.error();

  BoundaryEvaluation out;
  out.events.signal = "events";
  const bool all_signals = std::find(request.signals.begin(), request.signals.end(), "all") != request.signals.end();
  if (!all_signals) {
    for (const std::string& name : request.signals) out.signals.push_back({name, {}, {}, {}});
  }
  for (const WatchedVideo& watched : *results) {
    const auto& truth = truths.at(watched.video);
    const auto times = truth_times(watched, request.of, truth.front().path, stop);
    if (!times) return times.error();
    out.videos.push_back(watched.video);
    const auto judge = [&](BoundaryEvaluation::Judged& judged, const std::vector<FoundBoundary>& found) {
      BoundaryCounts counts = count_boundaries(truth, found, *times, watched.asked_for(), request.tolerance);
      counts.seconds = watched.seconds();
      judged.by_video.push_back(counts);
    };
    std::vector<FoundBoundary> found;
    for (std::size_t i = 0; i < watched.events.size(); ++i) {
      if (is_boundary(watched.events[i])) found.push_back({watched.event_times[i], watched.events[i].kind});
    }
    judge(out.events, found);
    if (request.signals.empty()) continue;
    for (const Signal& signal : signals_of(watched)) {
      auto to =
          std::find_if(out.signals.begin(), out.signals.end(), [&](const auto& one) { return one.signal == signal.name; });
      if (to == out.signals.end() && !all_signals) continue;
      if (to == out.signals.end()) to = out.signals.insert(to, {signal.name, {}, {}, {}});
      std::vector<FoundBoundary> peaks;
      for (const std::size_t frame : robust_peaks(signal.values)) peaks.push_back({watched.times[frame], "boundary"});
      judge(*to, peaks);
    }
  }
  join(out.events);
  for (auto& signal : out.signals) {
    if (signal.by_video.empty()) {
      return Error{ErrorKind::kUsage, fmt::format("none of the results has a signal called \"{}\"", signal.signal)};
    }
    join(signal);
  }
  return out;
}

}  // namespace longtake
