#include "models/eval/density.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/pipeline/pipeline.h"
#include "models/eval/boundary_match.h"
#include "models/eval/evaluated.h"
#include "models/eval/frame_times.h"
#include "models/eval/ground_truth.h"
#include "models/eval/prediction_sums.h"
#include "models/model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr int kDensest = 25;  // frames a second that prediction is judged by
constexpr double kHorizon = 0.4;
constexpr double kShort = 2, kAround = 0.5, kPeak = 3;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Keeps what the comparison looks at.
class Listener final : public Sink {
 public:
  Result<void> begin(const StreamInfo& info) override {
    seconds_per_pts_ = static_cast<double>(info.time_base.num) / static_cast<double>(info.time_base.den);
    return {};
  }
  Result<void> accept(std::span<const Record> records) override {
    for (const Record& record : records) {
      if (const auto* event = std::get_if<EventRecord>(&record)) {
        const double t = static_cast<double>(event->pts) * seconds_per_pts_;
        events.push_back(t);
        if (is_boundary(*event)) boundaries.push_back(t);
      } else if (const auto* frame = std::get_if<FrameRecord>(&record)) {
        surprise_.emplace_back(static_cast<double>(frame->pts) * seconds_per_pts_, frame->surprise.value_or(0));
      }
    }
    return {};
  }
  Result<void> checkpoint(const TensorFile&) override { return {}; }
  Result<void> finish(const EndRecord&) override { return {}; }

  // Events of any kind and peaks of surprise, in order.
  std::vector<double> marks() const {
    std::vector<double> out = events;
    for (std::size_t i = 0; i < surprise_.size(); ++i) {
      const double here = surprise_[i].second;
      const bool over_last = i == 0 || here >= surprise_[i - 1].second;
      const bool over_next = i + 1 == surprise_.size() || here >= surprise_[i + 1].second;
      if (here >= kPeak && over_last && over_next) out.push_back(surprise_[i].first);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<double> events, boundaries;

 private:
  double seconds_per_pts_ = 0;
  std::vector<std::pair<double, double>> surprise_;  // time, surprise
};

struct TrueVideo {
  std::string path;
  std::vector<double> times;    // of its frames
  bool has_boundaries = false;  // whether `truth` names it
  std::vector<TimeSpan> boundaries;
  std::vector<TimeSpan> short_events;
  double duration_s() const { return times.back() - times.front(); }
};

Result<std::vector<TrueVideo>> true_videos(const std::vector<std::string>& videos, const DensityRequest& request,
                                           std::stop_token stop) {
  std::vector<TrueBoundary> boundaries;
  std::vector<TrueEvent> labels;
  if (!request.truth.empty()) {
    auto read = read_boundaries(request.truth);
    if (!read) return std::move(read).error();
    boundaries = std::move(*read);
  }
  if (!request.labels.empty()) {
    auto read = read_labels(request.labels);
    if (!read) return std::move(read).error();
    labels = std::move(*read);
  }
  std::vector<TrueVideo> out;
  for (const std::string& path : videos) {
    auto times = frame_times(path, stop);
    if (!times) return std::move(times).error();
    if (times->size() < 2) continue;
    TrueVideo video;
    video.path = path;
    video.times = std::move(*times);
    const std::string name = fs::path(path).filename().string();
    for (const TrueBoundary& one : boundaries) {
      if (one.video != name) continue;
      video.has_boundaries = true;
      if (is_boundary(one)) video.boundaries.push_back(reach(one, video.times));
    }
    for (const TrueEvent& one : labels) {
      if (one.video == name && one.end_s - one.start_s < kShort) video.short_events.push_back({one.start_s, one.end_s});
    }
    out.push_back(std::move(video));
  }
  return out;
}

// What one rate found in all videos.
struct Found {
  double hits = 0, truths = 0, boundaries = 0;
  double heard = 0, chance = 0, short_events = 0;
  double cpu_s = 0, video_s = 0;

  void add(const TrueVideo& video, const Listener& listener) {
    if (video.has_boundaries) {
      hits += static_cast<double>(count_hits(video.boundaries, listener.boundaries));
      truths += static_cast<double>(video.boundaries.size());
      boundaries += static_cast<double>(listener.boundaries.size());
    }
    const auto marks = listener.marks();
    for (const TimeSpan& event : video.short_events) {
      const auto mark = std::lower_bound(marks.begin(), marks.end(), event.from - kAround);
      if (mark != marks.end() && *mark <= event.to + kAround) ++heard;
      chance +=
          chance_of_holding(event.to - event.from + 2 * kAround, {video.times.front(), video.times.back()}, marks);
      ++short_events;
    }
    video_s += video.duration_s();
  }
};

Result<Found> watch_videos(const std::shared_ptr<const Model>& model, const std::vector<TrueVideo>& videos, int fps,
                           int threads, std::stop_token stop) {
  Found out;
  for (const TrueVideo& video : videos) {
    SourceSpec spec;
    spec.uri = video.path;
    spec.fps = {fps, 1};
    spec.decoder_threads = threads;
    const double before = cpu_seconds();
    auto source = open_source(spec, stop);
    if (!source) return std::move(source).error();
    ModelAnalyzer analyzer(model, {});
    Decider decider(&Encoder::top_classes_of);
    Listener listener;
    PipelineOptions options;
    options.encoders = threads;
    const PipelineOutcome outcome = run_pipeline(**source, analyzer, decider, {}, listener, options, stop);
    if (outcome.error) return *outcome.error;
    if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
    out.cpu_s += cpu_seconds() - before;
    out.add(video, listener);
  }
  return out;
}

// At the horizon nearest to kHorizon.
double prediction_ratio(const StackNet& net, const std::vector<Clip>& clips, int fps, std::stop_token stop) {
  const auto& horizons = net.config().horizons_s;
  const auto nearest = std::min_element(horizons.begin(), horizons.end(), [](double a, double b) {
    return std::abs(a - kHorizon) < std::abs(b - kHorizon);
  });
  PredictionSums sums(horizons.size());
  for (const Clip& clip : clips)
    watch_clip(
        net, clip, fps, [&](const WatchedFrame& frame) { sums.add(frame); }, stop);
  const auto errors = sums.by_horizon()[static_cast<std::size_t>(nearest - horizons.begin())];
  return errors.persistence > 0 ? errors.stack / errors.persistence : NAN;
}

}  // namespace

Result<DensityCurves> evaluate_density(const DensityRequest& request, const Note& note, std::stop_token stop) {
  EvalRequest dense = request.eval;
  dense.cache.fps = {kDensest, 1};
  std::vector<std::shared_ptr<const Model>> streaming;
  for (const fs::path& path : request.eval.models) {
    auto model = Model::load(path);
    if (!model) return std::move(model).error();
    streaming.push_back(std::move(*model));
  }
  auto loaded = load_evaluated(dense, any_model, note, stop);
  if (!loaded) return std::move(loaded).error();
  auto videos = true_videos(loaded->videos, request, stop);
  if (!videos) return std::move(videos).error();

  DensityCurves out;
  for (const TrueVideo& video : *videos) {
    out.video_s += video.duration_s();
    out.boundaries += std::ssize(video.boundaries);
    out.short_events += std::ssize(video.short_events);
  }
  const auto names = distinct_names(loaded->models, learner_name);
  for (std::size_t m = 0; m < streaming.size(); ++m) {
    for (const int fps : request.fps) {
      auto found = watch_videos(streaming[m], *videos, fps, request.eval.threads, stop);
      if (!found) return std::move(found).error();
      DensityCurves::Point point;
      point.model = names[m];
      point.fps = fps;
      point.boundary_f1 = out.boundaries > 0 ? f1(found->hits, found->truths, found->boundaries) : NAN;
      point.short_event_recall = found->heard / found->short_events;  // NaN: 0 of 0
      point.short_event_chance = found->chance / found->short_events;
      point.prediction_error = prediction_ratio(loaded->models[m].net, loaded->clips, fps, stop);
      point.cost_per_video_second = found->cpu_s / found->video_s;
      out.points.push_back(std::move(point));
    }
  }
  return out;
}

}  // namespace longtake
