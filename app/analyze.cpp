#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/json_lines_sink.h"
#include "app/label_commands.h"
#include "app/memory_asking.h"
#include "app/progress.h"
#include "app/version.h"
#include "core/media/source.h"
#include "core/pipeline/pipeline.h"
#include "core/store/archive.h"
#include "core/store/sha256.h"
#include "models/memory_file.h"
#include "models/model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

// What a run goes on from.
struct Resumed {
  std::optional<MemoryFile> file;
  bool from_checkpoint = false;
  bool same_source = false;
  StreamPosition position;
};

// Two runs with the same key watch the same frames in the same way.
std::string settings_key(const AnalysisSettings& settings, const std::string& fps, const fs::path& compared) {
  nlohmann::ordered_json json;
  json["fps"] = fps;
  if (!compared.empty()) json["compared"] = source_key(compared);
  for (const auto& [name, value] : settings.recorded) {
    std::visit([&](const auto& v) { json[name] = v; }, value);
  }
  const std::string text = json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  return sha256_hex(std::as_bytes(std::span(text)));
}

Result<Resumed> read_resumed(const Settings& settings, const Model& model, const MemoryLabel& now) {
  Resumed out;
  std::error_code ec;
  fs::path path;
  if (!settings.checkpoint.empty() && fs::exists(settings.checkpoint, ec)) {
    path = settings.checkpoint;
    out.from_checkpoint = true;
  } else if (!settings.memory.empty()) {
    path = settings.memory;
  } else {
    return out;
  }
  auto file = read_memory(path);
  if (!file) return std::move(file).error();
  if (auto same = require_model(*file, path, model.folder().sha256); !same) return std::move(same).error();
  const MemoryLabel& label = file->label;
  const bool same_source = label.source_key == now.source_key && label.source == now.source;
  if (out.from_checkpoint) {
    const auto refuse = [&](const std::string& why) {
      return Error{ErrorKind::kModel, fmt::format("cannot continue from checkpoint \"{}\": {}", path.string(), why)};
    };
    if (label.kind != MemoryKind::kCheckpoint) return refuse("it is a memory, not a checkpoint");
    if (!same_source) return refuse(fmt::format("it belongs to \"{}\" or to other contents of that file", label.source));
    if (label.settings_key != now.settings_key) return refuse("it was made with other settings");
  }
  StateReader reader(file->state, "");
  reader("position", out.position);
  if (!reader.result()) return reader.result().error();
  out.same_source = same_source;
  out.file = std::move(*file);
  return out;
}

void say_summary(const Context& context, const PipelineOutcome& outcome, const Progress& progress, double video_s) {
  const EndRecord& end = outcome.end;
  if (end.decode_errors > 0) {
    context.log.warn("the video is damaged: {} decode error{}; what could be decoded was analysed", end.decode_errors,
                     end.decode_errors == 1 ? "" : "s");
  }
  if (end.guards > 0) context.log.warn("{} inner update(s) were not finite and were refused", end.guards);
  const double seconds = progress.seconds();
  context.log.info("{} frames, {} events, {:.2f} s of video in {:.2f} s ({:.2f}x real time)", end.frames, end.events,
                   video_s, seconds, seconds > 0 ? video_s / seconds : 0.0);
}

}  // namespace

int run_analyze(const Context& context) {
  const Settings& settings = context.settings;
  const std::string& input = settings.inputs.front();
  auto analysis = analysis_settings(settings, input);
  if (!analysis) return context.fail(analysis.error());
  const bool checkpoints = !settings.checkpoint.empty();
  if (checkpoints && settings.output == "-") {
    return context.fail({ErrorKind::kUsage, "--checkpoint needs -o FILE: standard output cannot be continued"});
  }

  auto model_path = context.model_path();
  if (!model_path) return context.fail(model_path.error());
  auto model = Model::load(*model_path);
  if (!model) return context.fail(model.error());

  if (analysis->maps && (*model)->recall() == nullptr) {
    context.log.warn("--maps: this model has no recall memory, so nothing tells what is new");
  }

  std::optional<WatchedLabels> labels;
  if (!settings.labels.empty()) {
    auto watched = watched_labels(settings.labels, (*model)->folder().encoder());
    if (!watched) return context.fail(watched.error());
    labels = std::move(*watched);
    analysis->recorded.emplace_back("labels", labels->names.sha256.substr(0, 12));
  }

  MemoryLabel label;
  label.model_sha256 = (*model)->folder().sha256;
  label.longtake = kVersion;
  label.source_key = source_key(input);
  label.source = settings.source_name.empty() ? fs::path(input).filename().string() : settings.source_name;
  label.settings_key = settings_key(*analysis, settings.fps, settings.compare);

  auto resumed = read_resumed(settings, **model, label);
  if (!resumed) return context.fail(resumed.error());
  std::unique_ptr<Asking> asking;  // outlives the analyzer that compares with it
  ModelAnalyzer analyzer(*model, {analysis->scene, analysis->roi, analysis->mask, analysis->maps, analysis->signals,
                                  settings.landmark_images, labels ? labels->head : nullptr});
  if (!settings.compare.empty()) {
    auto with = Asking::with(context, *model);
    if (!with) return context.fail(with.error());
    asking = std::move(*with);
    auto frozen = asking->freeze(settings.compare.string());
    if (!frozen) return context.fail(frozen.error());
    analyzer.compare_with(std::move(*frozen));
  }
  Decider decider(&Encoder::top_classes_of, analysis->sensitivity);
  // A state of other labels, or of none, has nothing to say of these.
  const bool labels_go_on =
      labels && resumed->file && LabelSegmenter::holds(resumed->file->state, "decide.labels.", labels->names);
  const auto watch_labels = [&] {
    decider.watch_labels(labels->names);
    if (labels->net) analyzer.watch_labels(labels->net);
  };
  if (labels_go_on) watch_labels();
  if (resumed->file) {
    if (auto done = analyzer.restore(resumed->file->state); !done) return context.fail(done.error());
    StateReader reader(resumed->file->state, "");
    reader("decide", decider);
    if (!reader.result()) return context.fail(reader.result().error());
    label.videos = resumed->file->label.videos;
    label.frames_before = resumed->file->label.frames_before;
  }
  if (labels && !labels_go_on) watch_labels();
  if (resumed->from_checkpoint && resumed->position.has_last) {
    analysis->source.resume_after_pts = resumed->position.last_pts;
    analysis->source.resume_decode_errors = resumed->position.decode_errors;
  }

  auto source = open_source(analysis->source, context.signals.token());
  if (!source) return context.fail(source.error());
  const StreamInfo& info = (*source)->info();
  label.time_base = info.time_base;
  // A memory goes on in the middle of its video if this is the rest of it. Anything else is another watching: what was
  // learned stays, time and counts start anew.
  const bool goes_on = resumed->position.has_last && resumed->same_source && info.first_pts > resumed->position.last_pts;
  if (!goes_on) {
    if (resumed->file) {
      label.frames_before += resumed->position.frames;
      std::vector<Record> unfinished;  // of the other video, which was left in the middle
      decider.discontinue(analyzer.flush(), unfinished);
      decider.forget_counts();
      analyzer.discontinue();
    }
    resumed->position = {};
    ++label.videos;
  }

  analyzer.begin_source(label.source, label.time_base, label.videos);

  auto file = resumed->from_checkpoint ? ResultFile::resume(settings.output, resumed->file->label.result_bytes)
                                       : ResultFile::create(settings.output);
  if (!file) return context.fail(file.error());
  std::optional<HeaderRecord> header;
  if (!resumed->from_checkpoint) {
    header = HeaderRecord{kVersion,
                          (*model)->folder().id(),
                          settings.source_name.empty() ? info.source : settings.source_name,
                          info.width,
                          info.height,
                          {info.time_base.num, info.time_base.den},
                          settings.fps,
                          (*model)->folder().config.layers,
                          analysis->recorded,
                          (*model)->folder().config.trained};
  }
  JsonLinesSink sink(std::move(*file), std::move(header), [&](const TensorFile& state, std::int64_t result_bytes) {
    MemoryLabel now = label;
    now.kind = MemoryKind::kCheckpoint;
    now.result_bytes = result_bytes;
    return write_memory(settings.checkpoint, now, state);
  });

  Progress progress(settings.progress_mode(), info);
  double first_t = 0;
  double last_t = 0;
  bool any = false;
  PipelineOptions options;
  options.encoders = settings.thread_count();
  options.leave_open = !settings.save_memory.empty();
  options.on_frame = [&](const FrameTime& time) {
    if (!std::exchange(any, true)) first_t = time.t;
    last_t = time.t;
    progress.frame(time);
  };
  if (checkpoints) {
    using Clock = std::chrono::steady_clock;
    const auto every = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(settings.checkpoint_every_s));
    options.checkpoint_due = [every, last = Clock::now()]() mutable {
      const Clock::time_point now = Clock::now();
      if (now - last < every) return false;
      last = now;
      return true;
    };
  }

  const PipelineOutcome outcome =
      run_pipeline(**source, analyzer, decider, resumed->position, sink, options, context.signals.token());
  progress.clear();
  if (!settings.save_memory.empty() && outcome.state) {
    if (auto saved = write_memory(settings.save_memory, label, *outcome.state); !saved) {
      return context.fail(saved.error());
    }
  }
  say_summary(context, outcome, progress, last_t - first_t);
  if (outcome.error) return context.fail(*outcome.error);
  if (const int code = context.signals.exit_code(); code != 0 && outcome.end.reason == "stopped") {
    if (checkpoints) context.log.warn("stopped; the same command continues from \"{}\"", settings.checkpoint.string());
    return code;
  }
  if (checkpoints) {
    std::error_code ec;
    fs::remove(settings.checkpoint, ec);  // the result is complete: there is nothing to continue
  }
  return kExitDone;
}

}  // namespace longtake
