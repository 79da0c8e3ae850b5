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

Result<AnomalyEvaluation> evaluate_anomaly(const AnomalyRequest& request, const Note& note, std::stop_token stop) {
  const auto read = read_anomalies(request.of.truth, request.of.split);
  if (!read) return read.error();
  const auto truths = by_video(*read);
  const auto results = read_watched(
      request.of, [&](const std::string& video) { return truths.contains(video); }, note);
  if (!results) return results.error();

  AnomalyEvaluation out;
  std::vector<Ranking::Scored> all;
  for (const WatchedVideo& watched : *results) {
    const auto signals = signals_of(watched);
    const auto signal =
        std::find_if(signals.begin(), signals.end(), [&](const Signal& one) { return one.name == request.signal; });
    if (signal == signals.end()) {
      std::string names;
      for (const Signal& one : signals) names += (names.empty() ? "" : ", ") + one.name;
      return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": it has no signal called \"{}\", but {}",
                                                  watched.file.string(), request.signal, names.empty() ? "none" : names)};
    }
    const auto& truth = truths.at(watched.video);
    const auto whole = truth_times(watched, request.of, truth.front().path, stop);
    if (!whole) return whole.error();
    const auto abnormal = abnormal_frames(truth, watched.times, *whole);
    std::vector<Ranking::Scored> scored;
    for (std::size_t i = 0; i < abnormal.size(); ++i) {
      if (!std::isnan(signal->values[i])) scored.push_back({signal->values[i], abnormal[i], out.by_video.size()});
    }
    all.insert(all.end(), scored.begin(), scored.end());
    out.by_video.push_back(figures_of(watched.video, scored));
  }
  out.joined = figures_of("", all);
  const Ranking ranking(std::move(all));
  out.intervals = video_intervals(out.by_video.size(), [&](std::span<const double> drawn) {
    const auto [auc, ap] = ranking.figures(drawn);
    return std::vector<double>{auc, ap};
  });
  return out;
}

}  // namespace longtake
