#include "models/eval/anomaly.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "models/eval/boundary_match.h"

namespace longtake {
namespace {

AnomalyEvaluation::Figures figures_of(const std::string& video, const std::vector<Ranking::Scored>& scored) {
  const auto [auc, ap] = Ranking(scored).figures();
  const auto abnormal = std::count_if(scored.begin(), scored.end(), [](const auto& one) { return one.positive; });
  return {video, auc, ap, scored.size(), static_cast<std::size_t>(abnormal)};
}

struct Judged {
  std::string video;
  std::vector<Signal> signals;
  std::vector<bool> abnormal;  // frames

  const Signal* find(const std::string& name) const {
    const auto found = std::ranges::find(signals, name, &Signal::name);
    return found == signals.end() ? nullptr : &*found;
  }
};

// Each of the videos has the signal.
AnomalyEvaluation judge(const std::vector<Judged>& videos, const std::string& name) {
  AnomalyEvaluation out{name, {}, {}, {}};
  std::vector<Ranking::Scored> all;
  for (const Judged& video : videos) {
    const std::vector<double>& values = video.find(name)->values;
    std::vector<Ranking::Scored> scored;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) scored.push_back({values[i], video.abnormal[i], out.by_video.size()});
    }
    all.insert(all.end(), scored.begin(), scored.end());
    out.by_video.push_back(figures_of(video.video, scored));
  }
  out.joined = figures_of("", all);
  const Ranking ranking(std::move(all));
  out.intervals = video_intervals(out.by_video.size(), [&](std::span<const double> drawn) {
    const auto [auc, ap] = ranking.figures(drawn);
    return std::vector<double>{auc, ap};
  });
  return out;
}

}  // namespace

std::vector<bool> abnormal_frames(const std::vector<TrueAnomaly>& truth, const std::vector<double>& times,
                                  const std::vector<double>& whole) {
  std::vector<bool> out;
  for (const double t : times) {
    const std::int64_t frame = nearest_frame(t, whole);
    out.push_back(std::any_of(truth.begin(), truth.end(), [&](const TrueAnomaly& one) {
      const auto [start, end] = frames_of(one, whole);
      return frame >= start && frame < end;
    }));
  }
  return out;
}

Result<std::vector<AnomalyEvaluation>> evaluate_anomaly(const AnomalyRequest& request, const Note& note,
                                                        std::stop_token stop) {
  const auto read = read_anomalies(request.of.truth, request.of.split);
  if (!read) return read.error();
  const auto truths = by_video(*read);
  const auto results = read_watched(
      request.of, [&](const std::string& video) { return truths.contains(video); }, note);
  if (!results) return results.error();

  std::vector<Judged> videos;
  for (const WatchedVideo& watched : *results) {
    const auto& truth = truths.at(watched.video);
    const auto whole = truth_times(watched, request.of, truth.front().path, stop);
    if (!whole) return whole.error();
    videos.push_back({watched.video, signals_of(watched), abnormal_frames(truth, watched.times, *whole)});
    if (request.signal == kAllSignals || videos.back().find(request.signal)) continue;
    std::string names;
    for (const Signal& one : videos.back().signals) names += (names.empty() ? "" : ", ") + one.name;
    return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": it has no signal called \"{}\", but {}",
                                                watched.file.string(), request.signal, names.empty() ? "none" : names)};
  }
  if (request.signal != kAllSignals) return std::vector{judge(videos, request.signal)};
  std::vector<AnomalyEvaluation> out;
  for (const Signal& one : videos.front().signals) {
    const bool in_all =
        std::ranges::all_of(videos, [&](const Judged& video) { return video.find(one.name) != nullptr; });
    if (in_all) out.push_back(judge(videos, one.name));
  }
  if (out.empty()) return Error{ErrorKind::kInput, "there is no signal that all of the results carry"};
  return out;
}

}  // namespace longtake
