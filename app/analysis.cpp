#include "app/analysis.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/label_commands.h"
#include "app/version.h"
#include "core/store/archive.h"
#include "core/store/sha256.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

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

// What a run goes on from.
struct Resumed {
  std::optional<MemoryFile> file;
  bool from_checkpoint = false;
  bool same_source = false;
  StreamPosition position;
};

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
  out.same_source = label.source_key == now.source_key && label.source == now.source;
  if (out.from_checkpoint) {
    const auto refuse = [&](const std::string& why) {
      return Error{ErrorKind::kModel, fmt::format("cannot continue from checkpoint \"{}\": {}", path.string(), why)};
    };
    if (label.kind != MemoryKind::kCheckpoint) return refuse("it is a memory, not a checkpoint");
    if (!out.same_source)
      return refuse(fmt::format("it belongs to \"{}\" or to other contents of that file", label.source));
    if (label.settings_key != now.settings_key) return refuse("it was made with other settings");
  }
  StateReader reader(file->state, "");
  reader("position", out.position);
  if (!reader.result()) return reader.result().error();
  out.file = std::move(*file);
  return out;
}

}  // namespace

std::function<bool()> every(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto apart = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  return [apart, last = Clock::now()]() mutable {
    const Clock::time_point now = Clock::now();
    if (now - last < apart) return false;
    last = now;
    return true;
  };
}

Result<std::string> results_key(const Settings& settings, const Model& model) {
  auto analysis = analysis_settings(settings, {});
  if (!analysis) return std::move(analysis).error();
  std::string all = kVersion + model.folder().sha256 + settings_key(*analysis, settings.fps, settings.compare);
  for (const fs::path& file : {settings.labels, settings.memory}) all += file.empty() ? "-" : source_key(file);
  return sha256_hex(std::as_bytes(std::span(all)));
}

Result<std::unique_ptr<Analysis>> Analysis::open(const Context& context, const std::string& input,
                                                 std::shared_ptr<const Model> model, std::stop_token stop,
                                                 const OpenVideo& open_video) {
  const Settings& settings = context.settings;
  auto analysis = analysis_settings(settings, input);
  if (!analysis) return std::move(analysis).error();
  if (!model) {
    auto path = context.model_path();
    if (!path) return std::move(path).error();
    auto loaded = Model::load(*path);
    if (!loaded) return std::move(loaded).error();
    model = std::move(*loaded);
  }
  if (analysis->maps && model->recall() == nullptr) {
    context.log.warn("--maps: this model has no recall memory, so nothing tells what is new");
  }
  std::unique_ptr<Analysis> out(new Analysis(settings, std::move(*analysis), std::move(model)));
  if (auto done = out->prepare(context, input); !done) return std::move(done).error();
  auto source = open_video(out->analysis_.source, stop);
  if (!source) return std::move(source).error();
  out->source_ = std::move(*source);
  out->begin_video();
  return out;
}

Analysis::Analysis(const Settings& settings, AnalysisSettings analysis, std::shared_ptr<const Model> model)
    : settings_(settings), analysis_(std::move(analysis)), model_(std::move(model)) {}

Result<void> Analysis::prepare(const Context& context, const std::string& input) {
  std::optional<WatchedLabels> labels;
  if (!settings_.labels.empty()) {
    auto watched = watched_labels(settings_.labels, model_->folder().encoder());
    if (!watched) return std::move(watched).error();
    labels = std::move(*watched);
    analysis_.recorded.emplace_back("labels", labels->names.sha256.substr(0, 12));
  }

  label_.model_sha256 = model_->folder().sha256;
  label_.longtake = kVersion;
  label_.source_key = source_key(input);
  label_.source = settings_.source_name.empty() ? fs::path(input).filename().string() : settings_.source_name;
  label_.settings_key = settings_key(analysis_, settings_.fps, settings_.compare);
  auto resumed = read_resumed(settings_, *model_, label_);
  if (!resumed) return std::move(resumed).error();

  analyzer_.emplace(model_,
                    AnalyzerOptions{analysis_.scene, analysis_.roi, analysis_.mask, analysis_.maps, analysis_.signals,
                                    settings_.landmark_images, labels ? labels->head : nullptr});
  if (!settings_.compare.empty()) {
    auto asking = Asking::with(context, model_);
    if (!asking) return std::move(asking).error();
    asking_ = std::move(*asking);
    auto frozen = asking_->freeze(settings_.compare.string());
    if (!frozen) return std::move(frozen).error();
    analyzer_->compare_with(std::move(*frozen));
  }
  decider_.emplace(&Encoder::top_classes_of, analysis_.sensitivity);
  // A state of other labels, or of none, has nothing to say of these.
  const bool labels_go_on =
      labels && resumed->file && LabelSegmenter::holds(resumed->file->state, "decide.labels.", labels->names);
  const auto watch_labels = [&] {
    decider_->watch_labels(labels->names);
    if (labels->net) analyzer_->watch_labels(labels->net);
  };
  if (labels_go_on) watch_labels();
  if (resumed->file) {
    if (auto done = analyzer_->restore(resumed->file->state); !done) return done;
    StateReader reader(resumed->file->state, "");
    reader("decide", *decider_);
    if (!reader.result()) return reader.result().error();
    label_.videos = resumed->file->label.videos;
    label_.frames_before = resumed->file->label.frames_before;
    goes_on_ = true;
    same_source_ = resumed->same_source;
    position_ = resumed->position;
  }
  if (labels && !labels_go_on) watch_labels();
  if (resumed->from_checkpoint) {
    continued_ = resumed->file->label.result_bytes;
    if (position_.has_last) {
      analysis_.source.resume_after_pts = position_.last_pts;
      analysis_.source.resume_decode_errors = position_.decode_errors;
    }
  }
  return {};
}

void Analysis::begin_video() {
  label_.time_base = info().time_base;
  // A memory goes on in the middle of its video if this is the rest of it. Anything else is another watching: what was
  // learned stays, time and counts start anew.
  if (!(position_.has_last && same_source_ && info().first_pts > position_.last_pts)) {
    if (goes_on_) {
      label_.frames_before += position_.frames;
      std::vector<Record> unfinished;  // of the other video, which was left in the middle
      decider_->discontinue(analyzer_->flush(), unfinished);
      decider_->forget_counts();
      analyzer_->discontinue();
    }
    position_ = {};
    ++label_.videos;
  }
  analyzer_->begin_source(label_.source, label_.time_base, label_.videos);
}

HeaderRecord Analysis::header() const {
  const ModelFolder& folder = model_->folder();
  return {kVersion,
          folder.id(),
          settings_.source_name.empty() ? info().source : settings_.source_name,
          info().width,
          info().height,
          {info().time_base.num, info().time_base.den},
          settings_.fps,
          folder.config.layers,
          analysis_.recorded,
          folder.config.trained};
}

PipelineOutcome Analysis::run(Sink& sink, const PipelineOptions& options, std::stop_token stop) {
  return run_pipeline(*source_, *analyzer_, *decider_, position_, sink, options, std::move(stop));
}

Result<void> Analysis::save_checkpoint(const TensorFile& state, std::int64_t result_bytes) const {
  MemoryLabel now = label_;
  now.kind = MemoryKind::kCheckpoint;
  now.result_bytes = result_bytes;
  return write_memory(settings_.checkpoint, now, state);
}

Result<void> Analysis::save_memory(const std::filesystem::path& path, const TensorFile& state) const {
  return write_memory(path, label_, state);
}

}  // namespace longtake
