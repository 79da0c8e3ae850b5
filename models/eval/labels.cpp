#include "models/eval/labels.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace longtake {
namespace {

struct Run {
  std::string name;
  std::int64_t from = 0, to = 0;  // frames, the end exclusive
};

std::vector<Run> runs_of(const std::vector<std::string>& names) {
  std::vector<Run> out;
  std::string open;
  for (std::int64_t i = 0; i < std::ssize(names); ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    if (!name.empty() && name == open)
      ++out.back().to;
    else if (!name.empty())
      out.push_back({name, i, i + 1});
    open = name;
  }
  return out;
}

LabelCounts::Hits match_runs(const std::vector<Run>& truth, const std::vector<Run>& said, double overlap) {
  LabelCounts::Hits out;
  std::vector<bool> taken(truth.size());
  for (const Run& one : said) {
    double best = 0;
    std::size_t which = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const std::int64_t common = std::min(one.to, truth[i].to) - std::max(one.from, truth[i].from);
      if (truth[i].name != one.name || common <= 0) continue;
      const std::int64_t either = std::max(one.to, truth[i].to) - std::min(one.from, truth[i].from);
      const double share = static_cast<double>(common) / static_cast<double>(either);
      if (share > best) best = share, which = i;
    }
    const bool right = best > 0 && best >= overlap && !taken[which];
    if (right) taken[which] = true;
    ++(right ? out.right : out.wrong);
  }
  out.missed = static_cast<double>(truth.size()) - out.right;
  return out;
}

double edit_score(const std::vector<Run>& truth, const std::vector<Run>& said) {
  if (truth.empty() && said.empty()) return 1;
  std::vector<std::size_t> row(said.size() + 1);  // edits from the first i of the truth to the first j that were said
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= truth.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t changed = diagonal + (truth[i - 1].name == said[j - 1].name ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return 1 - static_cast<double>(row.back()) / static_cast<double>(std::max(truth.size(), said.size()));
}

// What segment records say of each frame; nothing if none of them has labels.
std::optional<std::vector<std::string>> said_by_segments(const WatchedVideo& watched) {
  std::vector<std::string> out(watched.frames.size());
  bool any = false;
  for (const SegmentRecord& segment : watched.segments) {
    if (!segment.labels) continue;
    any = true;
    if (segment.labels->empty()) continue;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t frame = watched.frames[i].frame;
      if (frame >= segment.first && frame <= segment.last) out[i] = segment.labels->front().name;
    }
  }
  return any ? std::optional(std::move(out)) : std::nullopt;
}

// Likewise of frame records.
std::optional<std::vector<std::string>> said_by_frames(const WatchedVideo& watched) {
  std::vector<std::string> out;
  bool any = false;
  for (const auto& frame : watched.frames) {
    any = any || frame.label;
    out.push_back(frame.label.value_or(""));
  }
  return any ? std::optional(std::move(out)) : std::nullopt;
}

void join(LabelEvaluation::Judged& judged) {
  const auto weighted = [&](std::span<const double> weights) {
    LabelCounts sum;
    for (std::size_t i = 0; i < judged.by_video.size(); ++i) sum.add(judged.by_video[i], weights[i]);
    return sum;
  };
  judged.counts = weighted(std::vector<double>(judged.by_video.size(), 1.0));
  judged.intervals = video_intervals(judged.by_video.size(), [&](std::span<const double> drawn) {
    const LabelCounts counts = weighted(drawn);
    std::vector<double> figures{counts.frame_accuracy(), counts.macro_f1()};
    for (const auto& segments : counts.segments) figures.push_back(segments.f1());
    figures.push_back(counts.edit_score());
    return figures;
  });
}

}  // namespace

void LabelCounts::Hits::add(const Hits& other, double weight) {
  right += weight * other.right;
  wrong += weight * other.wrong;
  missed += weight * other.missed;
}

double LabelCounts::macro_f1() const {
  double sum = 0, count = 0;
  for (const auto& [name, hits] : classes) {
    if (!(hits.right + hits.missed > 0)) continue;
    sum += hits.f1();
    ++count;
  }
  return sum / count;
}

void LabelCounts::add(const LabelCounts& other, double weight) {
  for (const auto& [name, hits] : other.classes) classes[name].add(hits, weight);
  for (std::size_t k = 0; k < segments.size(); ++k) segments[k].add(other.segments[k], weight);
  frames += weight * other.frames;
  right += weight * other.right;
  edit += weight * other.edit;
  videos += weight * other.videos;
}

LabelCounts count_labels(const std::vector<std::string>& truth, const std::vector<std::string>& said) {
  LabelCounts out;
  std::vector<std::string> judged(truth.size());  // what was said in labelled time
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i].empty()) continue;
    judged[i] = said.at(i);
    ++out.frames;
    if (judged[i] == truth[i]) {
      ++out.right;
      ++out.classes[truth[i]].right;
      continue;
    }
    ++out.classes[truth[i]].missed;
    if (!judged[i].empty()) ++out.classes[judged[i]].wrong;
  }
  const auto true_runs = runs_of(truth), said_runs = runs_of(judged);
  for (std::size_t k = 0; k < kOverlaps.size(); ++k)
    out.segments[k] = match_runs(true_runs, said_runs, kOverlaps[k] / 100.0);
  if (out.frames > 0) {
    out.edit = edit_score(true_runs, said_runs);
    out.videos = 1;
  }
  return out;
}

std::vector<std::string> true_labels(const std::vector<TrueEvent>& truth, const std::vector<double>& times) {
  std::vector<std::string> out;
  for (const double t : times) {
    const TrueEvent* best = nullptr;
    for (const TrueEvent& one : truth) {
      if (one.label.empty() || t < one.start_s || t >= one.end_s) continue;
      if (best == nullptr || one.start_s > best->start_s || (one.start_s == best->start_s && one.end_s < best->end_s))
        best = &one;
    }
    out.push_back(best == nullptr ? "" : best->label);
  }
  return out;
}

Result<LabelEvaluation> evaluate_labels(const LabelRequest& request, const Note& note) {
  const auto read = read_labels(request.of.truth, request.column, request.of.split);
  if (!read) return read.error();
  const auto truths = by_video(*read);
  const auto results = read_watched(
      request.of, [&](const std::string& video) { return truths.contains(video); }, note);
  if (!results) return results.error();

  LabelEvaluation out;
  bool all_by_frames = true, all_by_segments = true;
  for (const WatchedVideo& watched : *results) {
    const auto truth = true_labels(truths.at(watched.video), watched.times);
    const auto frames = said_by_frames(watched), segments = said_by_segments(watched);
    all_by_frames = all_by_frames && frames;
    all_by_segments = all_by_segments && segments;
    if (!all_by_frames && !all_by_segments) {
      return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": it has no labels", watched.file.string())};
    }
    out.videos.push_back(watched.video);
    if (frames) out.by_frames.by_video.push_back(count_labels(truth, *frames));
    if (segments) out.by_segments.by_video.push_back(count_labels(truth, *segments));
  }
  if (!all_by_frames) out.by_frames = {};
  if (!all_by_segments) out.by_segments = {};
  for (auto* judged : {&out.by_frames, &out.by_segments}) {
    join(*judged);
    if (!judged->by_video.empty() && judged->counts.frames == 0) {
      return Error{ErrorKind::kInput,
                   fmt::format("no frame of the results is in time that \"{}\" labels", request.of.truth.string())};
    }
  }
  return out;
}

}  // namespace longtake
