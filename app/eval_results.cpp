// eval boundaries, eval labels, eval anomaly: finished results against what is true.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "models/eval/anomaly.h"
#include "models/eval/boundaries.h"
#include "models/eval/labels.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;  // writes what is not finite as null

ResultRequest result_request(const Context& context, const EvalResultsSettings& eval) {
  return {context.settings.inputs, eval.truth, eval.root, eval.split};
}

Note warner(const Context& context) {
  return [&log = context.log](const std::string& sentence) { log.warn("{}", sentence); };
}

// Counts are numbers with a point only so that they can be weighted.
std::int64_t whole(double count) { return std::llround(count); }

std::string cell(double value, int decimals = 3) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}

std::string cell(const Interval& interval, int decimals = 3) {
  return std::isfinite(interval.low) ? cell(interval.low, decimals) + " to " + cell(interval.high, decimals) : "-";
}

Json to_json(const Interval& interval) {
  return std::isfinite(interval.low) ? Json::array({interval.low, interval.high}) : Json();
}

Json intervals_head() { return {{"confidence", kConfidence}, {"over", "videos"}}; }

Json to_json(const BoundaryCounts::Kind& kind) {
  return {{"precision", kind.precision()},
          {"recall", kind.recall()},
          {"f1", kind.f1()},
          {"truth", whole(kind.truth)},
          {"found", whole(kind.found)}};
}

// All that is said of one way to find boundaries.
void add_figures(const BoundaryEvaluation::Judged& judged, const std::vector<std::string>* videos, Json& out) {
  const BoundaryCounts& counts = judged.counts;
  for (std::size_t k = 0; k < kBoundaryKinds.size(); ++k) out[kBoundaryKinds[k]] = to_json(counts.kinds[k]);
  out["flash_false_alarms"] = whole(counts.flash_false_alarms);
  out["flashes"] = whole(counts.flashes);
  out["false_alarms"] = whole(counts.false_alarms);
  out["false_alarms_per_hour"] = counts.false_alarms_per_hour();
  out["seconds"] = counts.seconds;
  Json intervals = intervals_head();
  for (std::size_t k = 0; k < kBoundaryKinds.size(); ++k) {
    intervals[kBoundaryKinds[k]] = {{"precision", to_json(judged.intervals[3 * k])},
                                    {"recall", to_json(judged.intervals[3 * k + 1])},
                                    {"f1", to_json(judged.intervals[3 * k + 2])}};
  }
  intervals["false_alarms_per_hour"] = to_json(judged.intervals.back());
  out["intervals"] = std::move(intervals);
  if (videos == nullptr) return;
  out["per_video"] = Json::array();
  for (std::size_t v = 0; v < videos->size(); ++v) {
    Json one{{"video", (*videos)[v]}};
    for (std::size_t k = 0; k < kBoundaryKinds.size(); ++k)
      one[kBoundaryKinds[k]] = to_json(judged.by_video[v].kinds[k]);
    out["per_video"].push_back(std::move(one));
  }
}

Json to_json(const LabelCounts& counts) {
  Json out{{"frame_accuracy", counts.frame_accuracy()}, {"macro_f1", counts.macro_f1()}};
  for (std::size_t k = 0; k < kOverlaps.size(); ++k)
    out["segment_f1"][std::to_string(kOverlaps[k])] = counts.segments[k].f1();
  out["edit"] = counts.edit_score();
  out["per_class"] = Json::object();
  for (const auto& [name, hits] : counts.classes) {
    out["per_class"][name] = {{"precision", hits.precision()},
                              {"recall", hits.recall()},
                              {"f1", hits.f1()},
                              {"frames", whole(hits.right + hits.missed)}};
  }
  return out;
}

Json to_json(const AnomalyEvaluation::Figures& figures) {
  return {{"frame_auc", figures.frame_auc},
          {"frame_ap", figures.frame_ap},
          {"frames", figures.frames},
          {"abnormal", figures.abnormal}};
}

void print_boundaries(const BoundaryEvaluation& got, const EvalResultsSettings& eval) {
  const BoundaryCounts& counts = got.events.counts;
  fmt::print("{} video{}, {:.1f} minutes; an event may be {} frame{} off a cut\n\n", got.videos.size(),
             got.videos.size() == 1 ? "" : "s", counts.seconds / 60, eval.tolerance, eval.tolerance == 1 ? "" : "s");
  fmt::print("{:>10}  {:>6}  {:>6}  {:>9}  {:>7}  {:>6}  {:>16}\n", "", "truth", "found", "precision", "recall", "F1",
             "95 % of F1");
  for (std::size_t k = 0; k < kBoundaryKinds.size(); ++k) {
    const auto& kind = counts.kinds[k];
    fmt::print("{:>10}  {:>6}  {:>6}  {:>9}  {:>7}  {:>6}  {:>16}\n", kBoundaryKinds[k], kind.truth, kind.found,
               cell(kind.precision()), cell(kind.recall()), cell(kind.f1()), cell(got.events.intervals[3 * k + 2]));
  }
  fmt::print("\nfalse alarms: {}, {} an hour (95 %: {}); at flashes: {} of {}\n", counts.false_alarms,
             cell(counts.false_alarms_per_hour(), 1), cell(got.events.intervals.back(), 1), counts.flash_false_alarms,
             counts.flashes);
  if (got.signals.empty()) return;
  fmt::print("\nby the peaks of signals, above median + 13 MAD\n{:>10}  {:>9}  {:>7}", "", "precision", "recall");
  for (const char* kind : kBoundaryKinds) fmt::print("  {:>11}", fmt::format("F1 {}", kind));
  fmt::print("  {:>7}  {:>8}\n", "flashes", "an hour");
  auto rows = got.signals;
  rows.push_back(got.events);
  for (const auto& row : rows) {
    fmt::print("{:>10}  {:>9}  {:>7}", row.signal, cell(row.counts.kinds[0].precision()),
               cell(row.counts.kinds[0].recall()));
    for (const auto& kind : row.counts.kinds) fmt::print("  {:>11}", cell(kind.f1()));
    fmt::print("  {:>7}  {:>8}\n", row.counts.flash_false_alarms, cell(row.counts.false_alarms_per_hour(), 1));
  }
}

struct NamedFigure {
  std::string name;
  double value = 0;
};
// In the order of LabelEvaluation::Judged::intervals.
std::vector<NamedFigure> label_figures(const LabelCounts& counts) {
  std::vector<NamedFigure> out{{"frame accuracy", counts.frame_accuracy()}, {"macro F1", counts.macro_f1()}};
  for (std::size_t k = 0; k < kOverlaps.size(); ++k)
    out.push_back({fmt::format("segment F1@{}", kOverlaps[k]), counts.segments[k].f1()});
  out.push_back({"edit score", counts.edit_score()});
  return out;
}

void print_labels(const LabelEvaluation::Judged& judged, const char* whose) {
  fmt::print("\n{:>16}  {:>6}  {:>16}\n", whose, "", "95 %");
  const auto figures = label_figures(judged.counts);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    fmt::print("{:>16}  {:>6}  {:>16}\n", figures[i].name, cell(figures[i].value), cell(judged.intervals[i]));
  }
}

}  // namespace

int run_eval_boundaries(const Context& context, const EvalResultsSettings& eval) {
  const BoundaryRequest request{result_request(context, eval), eval.tolerance, eval.signals};
  const auto got = evaluate_boundaries(request, warner(context), context.signals.token());
  if (!got) return context.fail(got.error());
  if (!context.settings.json) {
    print_boundaries(*got, eval);
    return kExitDone;
  }
  Json out = headed("eval boundaries");
  out["signal"] = got->events.signal;
  out["tolerance"] = eval.tolerance;
  out["videos"] = got->videos.size();
  add_figures(got->events, &got->videos, out);
  for (const auto& signal : got->signals) {
    Json one{{"signal", signal.signal}, {"videos", signal.by_video.size()}};
    add_figures(signal, nullptr, one);
    out["signals"].push_back(std::move(one));
  }
  fmt::print("{}\n", out.dump());
  return kExitDone;
}

int run_eval_labels(const Context& context, const EvalResultsSettings& eval) {
  const auto got = evaluate_labels({result_request(context, eval), eval.column}, warner(context));
  if (!got) return context.fail(got.error());
  const bool from_frames = !got->by_frames.by_video.empty();
  const auto& judged = from_frames ? got->by_frames : got->by_segments;
  if (context.settings.json) {
    Json out = headed("eval labels");
    out["labels_of"] = from_frames ? "frames" : "segments";
    out["videos"] = got->videos.size();
    out["frames"] = whole(judged.counts.frames);
    out.update(to_json(judged.counts));
    Json intervals = intervals_head();
    intervals["frame_accuracy"] = to_json(judged.intervals[0]);
    intervals["macro_f1"] = to_json(judged.intervals[1]);
    for (std::size_t k = 0; k < kOverlaps.size(); ++k) {
      intervals["segment_f1"][std::to_string(kOverlaps[k])] = to_json(judged.intervals[2 + k]);
    }
    intervals["edit"] = to_json(judged.intervals.back());
    out["intervals"] = std::move(intervals);
    if (from_frames && !got->by_segments.by_video.empty()) out["by_segment_records"] = to_json(got->by_segments.counts);
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{} video{}, {} frames in labelled time\n", got->videos.size(), got->videos.size() == 1 ? "" : "s",
             judged.counts.frames);
  if (from_frames) print_labels(got->by_frames, "labels of frames");
  if (!got->by_segments.by_video.empty()) print_labels(got->by_segments, "of segments");
  fmt::print("\n{:>16}  {:>9}  {:>7}  {:>6}  {:>8}\n", "class", "precision", "recall", "F1", "frames");
  for (const auto& [name, hits] : judged.counts.classes) {
    fmt::print("{:>16}  {:>9}  {:>7}  {:>6}  {:>8}\n", name, cell(hits.precision()), cell(hits.recall()),
               cell(hits.f1()), hits.right + hits.missed);
  }
  return kExitDone;
}

int run_eval_anomaly(const Context& context, const EvalResultsSettings& eval) {
  const auto got =
      evaluate_anomaly({result_request(context, eval), eval.signal}, warner(context), context.signals.token());
  if (!got) return context.fail(got.error());
  const auto record = [](const AnomalyEvaluation& of) {
    Json out{{"signal", of.signal}};
    out.update(to_json(of.joined));
    out["per_video"] = Json::array();
    for (const auto& figures : of.by_video) {
      Json one{{"video", figures.video}};
      one.update(to_json(figures));
      out["per_video"].push_back(std::move(one));
    }
    out["intervals"] = intervals_head();
    out["intervals"]["frame_auc"] = to_json(of.intervals[0]);
    out["intervals"]["frame_ap"] = to_json(of.intervals[1]);
    return out;
  };
  const bool all = eval.signal == kAllSignals;
  if (context.settings.json) {
    Json out = headed("eval anomaly");
    if (all) {
      out["signal"] = eval.signal;
      for (const AnomalyEvaluation& one : *got) out["signals"].push_back(record(one));
    } else {
      out.update(record(got->front()));
    }
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  if (all) {
    fmt::print("AUC, frame by frame\n\n{:>13}  {:>5}  {:>16}", "", "all", "95 % over videos");
    for (const auto& figures : got->front().by_video) fmt::print("  {}", figures.video);
    fmt::print("\n");
    for (const AnomalyEvaluation& one : *got) {
      fmt::print("{:>13}  {:>5}  {:>16}", one.signal, cell(one.joined.frame_auc), cell(one.intervals[0]));
      for (const auto& figures : one.by_video) fmt::print("  {:>{}}", cell(figures.frame_auc), figures.video.size());
      fmt::print("\n");
    }
    return kExitDone;
  }
  const AnomalyEvaluation& one = got->front();
  fmt::print("{}, frame by frame\n\n{:>8}  {:>8}  {:>6}  {:>6}\n", one.signal, "frames", "abnormal", "AUC", "AP");
  const auto line = [](const AnomalyEvaluation::Figures& figures, const std::string& name) {
    fmt::print("{:>8}  {:>8}  {:>6}  {:>6}  {}\n", figures.frames, figures.abnormal, cell(figures.frame_auc),
               cell(figures.frame_ap), name);
  };
  for (const auto& figures : one.by_video) line(figures, figures.video);
  line(one.joined, "all");
  fmt::print("\n95 % over videos: AUC {}, AP {}\n", cell(one.intervals[0]), cell(one.intervals[1]));
  return kExitDone;
}

}  // namespace longtake
