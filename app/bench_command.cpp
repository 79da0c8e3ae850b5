#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/json_lines_sink.h"
#include "app/machine.h"
#include "core/media/source.h"
#include "core/pipeline/pipeline.h"
#include "models/model.h"

namespace longtake {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 3;
constexpr std::size_t kSample = 96;  // decoded pictures that are kept for the stages that are measured alone

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Speed {
  double frames_per_s = 0;
  double cpu_ms_per_frame = 0;
};

// Speeds of several rounds; the median of each figure is what is reported.
struct Speeds {
  std::vector<double> frames_per_s;
  std::vector<double> cpu_ms_per_frame;

  void add(Speed speed) {
    frames_per_s.push_back(speed.frames_per_s);
    cpu_ms_per_frame.push_back(speed.cpu_ms_per_frame);
  }
  Speed typical() const { return {median(frames_per_s), median(cpu_ms_per_frame)}; }
};

// `work` returns the number of frames it handled.
template <class Work>
Speed measure(Work work) {
  const double cpu = cpu_seconds();
  const Clock::time_point start = Clock::now();
  const auto frames = static_cast<double>(work());
  const double wall = std::chrono::duration<double>(Clock::now() - start).count();
  if (frames == 0) return {};
  return {frames / wall, (cpu_seconds() - cpu) * 1e3 / frames};
}

// Takes everything and keeps nothing: the pipeline's own cost is what is measured.
class NullSink final : public Sink {
 public:
  Result<void> begin(const StreamInfo&) override { return {}; }
  Result<void> accept(std::span<const Record> records) override {
    text_.clear();
    for (const Record& record : records) append_json_line(record, text_);
    return {};
  }
  Result<void> checkpoint(const TensorFile&) override { return {}; }
  Result<void> finish(const EndRecord&) override { return {}; }

 private:
  std::string text_;
};

class PipelineBench {
 public:
  PipelineBench(const Context& context, std::shared_ptr<const Model> model, AnalysisSettings settings)
      : context_(context), model_(std::move(model)), settings_(std::move(settings)), threads_(context.settings.thread_count()) {}

  Result<void> run() {
    for (int round = 0; round < kRounds; ++round) {
      if (auto done = decode_alone(); !done) return done;
      if (auto done = encode_alone(); !done) return done;
      watch_alone();
      if (auto done = together(); !done) return done;
    }
    return {};
  }

  nlohmann::ordered_json report() const {
    const std::pair<const char*, Speed> stages[] = {{"decode", decode_.typical()},
                                                    {"encode", encode_.typical()},
                                                    {"watch", watch_.typical()},
                                                    {"deliver", deliver_.typical()}};
    double slowest = INFINITY;
    double cpu_ms = 0;
    nlohmann::ordered_json out;
    out["frames"] = frames_;
    out["frames_per_s"] = all_.typical().frames_per_s;
    for (const auto& [name, speed] : stages) {
      out["stages"][name] = {{"frames_per_s", speed.frames_per_s}, {"cpu_ms_per_frame", speed.cpu_ms_per_frame}};
      slowest = std::min(slowest, speed.frames_per_s);
      cpu_ms += speed.cpu_ms_per_frame;
    }
    const double ideal = std::min(slowest, threads_ * 1e3 / cpu_ms);
    out["threads"] = threads_;
    out["cpu_ms_per_frame"] = all_.typical().cpu_ms_per_frame;
    out["ideal_frames_per_s"] = ideal;
    out["ratio_to_ideal"] = all_.typical().frames_per_s / ideal;
    out["peak_rss_bytes"] = peak_resident_bytes();
    out["x_realtime"] = video_s_ > 0 ? all_.typical().frames_per_s * video_s_ / static_cast<double>(frames_) : 0;
    return out;
  }

 private:
  Result<void> decode_alone() {
    auto source = open_source(settings_.source, context_.signals.token());
    if (!source) return std::move(source).error();
    std::optional<Error> error;
    frames_ = 0;
    sample_.clear();
    const Rational base = (*source)->info().time_base;
    std::int64_t last_pts = 0;
    decode_.add(measure([&] {
      while (true) {
        auto item = (*source)->next(context_.signals.token());
        if (!item) {
          error = item.error();
          return frames_;
        }
        if (std::holds_alternative<EndOfStream>(*item)) return frames_;
        if (auto* frame = std::get_if<Frame>(&*item)) {
          ++frames_;
          last_pts = frame->pts;
          if (sample_.size() < kSample) sample_.push_back(std::move(*frame));
        }
      }
    }));
    if (error) return *error;
    video_s_ = static_cast<double>(last_pts - (*source)->info().first_pts) * static_cast<double>(base.num) /
               static_cast<double>(base.den);
    return {};
  }

  Result<void> encode_alone() {
    const ModelAnalyzer analyzer(model_, {settings_.scene, settings_.roi, settings_.mask});
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> failed{false};
    encoded_.resize(sample_.size());
    encode_.add(measure([&] {
      std::vector<std::jthread> workers;
      for (int i = 0; i < threads_; ++i) {
        workers.emplace_back([&] {
          const auto encoder = analyzer.make_encoder();
          for (std::int64_t n = next++; n < frames_ && !failed; n = next++) {
            const auto at = static_cast<std::size_t>(n) % sample_.size();
            auto encoded = encoder->encode(sample_[at]);
            if (!encoded) {
              failed = true;
            } else if (static_cast<std::size_t>(n) < sample_.size()) {
              encoded_[at] = std::move(*encoded);
            }
          }
        });
      }
      workers.clear();
      return frames_;
    }));
    if (failed) return Error{ErrorKind::kInput, "a frame could not be encoded"};
    return {};
  }

  void watch_alone() {
    ModelAnalyzer analyzer(model_, {settings_.scene, settings_.roi, settings_.mask});
    Decider decider(&Encoder::top_classes_of);
    std::vector<std::vector<Record>> deliveries;
    watch_.add(measure([&] {
      for (std::int64_t n = 0; n < frames_; ++n) {
        const auto at = static_cast<std::size_t>(n) % sample_.size();
        const double t = static_cast<double>(n) * 0.04;
        std::vector<Record> records;
        decider.step(analyzer.watch({n, n, t, 0.04}, encoded_[at]), records);
        if (deliveries.size() < sample_.size()) deliveries.push_back(std::move(records));
      }
      return frames_;
    }));
    NullSink sink;
    deliver_.add(measure([&] {
      for (std::int64_t n = 0; n < frames_; ++n) {
        (void)sink.accept(deliveries[static_cast<std::size_t>(n) % deliveries.size()]).ok();
      }
      return frames_;
    }));
  }

  Result<void> together() {
    auto source = open_source(settings_.source, context_.signals.token());
    if (!source) return std::move(source).error();
    ModelAnalyzer analyzer(model_, {settings_.scene, settings_.roi, settings_.mask});
    Decider decider(&Encoder::top_classes_of);
    NullSink sink;
    PipelineOptions options;
    options.encoders = threads_;
    PipelineOutcome outcome;
    all_.add(measure([&] {
      outcome = run_pipeline(**source, analyzer, decider, {}, sink, options, context_.signals.token());
      return outcome.end.frames;
    }));
    if (outcome.error) return *outcome.error;
    return {};
  }

  const Context& context_;
  std::shared_ptr<const Model> model_;
  AnalysisSettings settings_;
  int threads_;

  std::int64_t frames_ = 0;
  double video_s_ = 0;
  std::vector<Frame> sample_;
  std::vector<Encoded> encoded_;
  Speeds decode_, encode_, watch_, deliver_, all_;
};

struct MemoryPoint {
  std::int64_t frame;
  std::int64_t rss_bytes;
  double ns_per_frame;
};

// Least squares.
double slope(const std::vector<MemoryPoint>& points) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (const MemoryPoint& p : points) {
    const auto x = static_cast<double>(p.frame);
    sx += x;
    sy += p.ns_per_frame;
    sxx += x * x;
    sxy += x * p.ns_per_frame;
  }
  const auto n = static_cast<double>(points.size());
  const double spread = n * sxx - sx * sx;
  return spread > 0 ? (n * sxy - sx * sy) / spread : 0;
}

}  // namespace

int run_bench_pipeline(const Context& context) {
  auto settings = analysis_settings(context.settings, context.settings.inputs.front());
  if (!settings) return context.fail(settings.error());
  auto path = context.model_path();
  if (!path) return context.fail(path.error());
  auto model = Model::load(*path);
  if (!model) return context.fail(model.error());

  PipelineBench bench(context, *model, std::move(*settings));
  if (auto done = bench.run(); !done) return context.fail(done.error());
  nlohmann::ordered_json out = headed("bench pipeline");
  out.update(bench.report());
  if (context.settings.json) {
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{}, {} threads, {} frames, median of {} rounds\n\n", out["machine"]["cpu"].get<std::string>(),
             out["threads"].get<int>(), out["frames"].get<std::int64_t>(), kRounds);
  fmt::print("{:<10} {:>10} {:>14}\n", "stage", "frames/s", "CPU ms/frame");
  for (const auto& [name, stage] : out["stages"].items()) {
    fmt::print("{:<10} {:>10.1f} {:>14.3f}\n", name, stage["frames_per_s"].get<double>(),
               stage["cpu_ms_per_frame"].get<double>());
  }
  fmt::print("{:<10} {:>10.1f} {:>14.3f}\n", "together", out["frames_per_s"].get<double>(),
             out["cpu_ms_per_frame"].get<double>());
  fmt::print("\nideal {:.1f} frames/s, reached {:.2f} of it; {:.2f}x real time; peak memory {:.0f} MB\n",
             out["ideal_frames_per_s"].get<double>(), out["ratio_to_ideal"].get<double>(),
             out["x_realtime"].get<double>(), out["peak_rss_bytes"].get<double>() / 1e6);
  return kExitDone;
}

int run_bench_memory(const Context& context) {
  auto settings = analysis_settings(context.settings, context.settings.inputs.front());
  if (!settings) return context.fail(settings.error());
  auto path = context.model_path();
  if (!path) return context.fail(path.error());
  auto model = Model::load(*path);
  if (!model) return context.fail(model.error());
  auto source = open_source(settings->source, context.signals.token());
  if (!source) return context.fail(source.error());

  // One point every kSecondsBetween of video, thinned by two whenever there are too many: bounded like all else.
  constexpr std::size_t kMostPoints = 2000;
  double seconds_between = 10;
  constexpr double kSettled = 300;  // seconds of video until everything has been allocated once
  ModelAnalyzer analyzer(*model, {settings->scene, settings->roi, settings->mask});
  Decider decider(&Encoder::top_classes_of);
  NullSink sink;
  std::vector<MemoryPoint> points;
  std::optional<std::int64_t> settled_rss;
  double next_t = -INFINITY;
  double first_t = NAN;
  std::int64_t last_frame = -1;
  Clock::time_point last = Clock::now();
  PipelineOptions options;
  options.encoders = context.settings.thread_count();
  options.on_frame = [&](const FrameTime& time) {
    if (std::isnan(first_t)) first_t = time.t;
    if (time.t < next_t) return;
    const Clock::time_point now = Clock::now();
    const double ns = std::chrono::duration<double, std::nano>(now - last).count();
    if (last_frame >= 0) {
      points.push_back({time.ordinal, resident_bytes(), ns / static_cast<double>(time.ordinal - last_frame)});
      if (!settled_rss && time.t - first_t >= kSettled) settled_rss = points.back().rss_bytes;
    }
    last = now;
    last_frame = time.ordinal;
    next_t = time.t + seconds_between;
    if (points.size() >= kMostPoints) {
      for (std::size_t i = 0; i < points.size() / 2; ++i) points[i] = points[i * 2];
      points.resize(points.size() / 2);
      seconds_between *= 2;
    }
  };
  const PipelineOutcome outcome =
      run_pipeline(**source, analyzer, decider, {}, sink, options, context.signals.token());
  if (outcome.error) return context.fail(*outcome.error);
  if (points.empty()) return context.fail({ErrorKind::kInput, "the video is too short to say anything about memory"});

  nlohmann::ordered_json out = headed("bench memory");
  out["frames"] = outcome.end.frames;
  for (const MemoryPoint& p : points) {
    out["points"].push_back({{"frame", p.frame},
                             {"rss_bytes", p.rss_bytes},
                             {"state_bytes", outcome.end.state_bytes},
                             {"ns_per_frame", p.ns_per_frame}});
  }
  const std::int64_t reference = settled_rss.value_or(points.front().rss_bytes);
  const double drift = static_cast<double>(points.back().rss_bytes - reference) / static_cast<double>(reference);
  out["rss_drift"] = drift;
  out["rss_settled"] = settled_rss.has_value();
  out["slope_ns_per_frame"] = slope(points);
  if (context.settings.json) {
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{:>10} {:>12} {:>14} {:>12}\n", "frame", "resident MB", "state bytes", "ms/frame");
  const std::size_t step = std::max<std::size_t>(1, points.size() / 20);
  for (std::size_t i = 0; i < points.size(); i += step) {
    fmt::print("{:>10} {:>12.1f} {:>14} {:>12.2f}\n", points[i].frame, static_cast<double>(points[i].rss_bytes) / 1e6,
               outcome.end.state_bytes, points[i].ns_per_frame / 1e6);
  }
  fmt::print("\n{} frames; resident memory {:+.2f} % since {}; time per frame {:+.4f} ns for each further frame\n",
             outcome.end.frames, drift * 100, settled_rss ? "minute 5" : "the first point", slope(points));
  return kExitDone;
}

}  // namespace longtake
