#include "app/batch/batch.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "app/analysis.h"
#include "app/json_lines_sink.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

// Size and time of what lies there; all zero for what is no file.
void look_at(const std::string& path, ManifestEntry& entry) {
  struct stat now {};
  if (stat(path.c_str(), &now) != 0) return;
  entry.size = now.st_size;
  entry.modified_ns = static_cast<std::int64_t>(now.st_mtim.tv_sec) * 1'000'000'000 + now.st_mtim.tv_nsec;
}

// Whether the manifest's entry still tells of this file and these settings, which stand in `now`.
bool still_holds(const ManifestEntry& before, ManifestEntry& now) {
  if (before.settings_key != now.settings_key || before.size != now.size) return false;
  if (before.modified_ns == now.modified_ns) {
    now.content_key = before.content_key;
    return true;
  }
  // Touched or copied; only its contents tell.
  now.content_key = source_key(now.path);
  return !now.content_key.empty() && now.content_key == before.content_key;
}

bool is_due(const ManifestEntry& before, const BatchOptions& options) {
  std::error_code ec;
  switch (before.state) {
    case VideoState::kDone: return !fs::exists(options.folder / before.result, ec);
    case VideoState::kFailed: return options.retry_failed;
    case VideoState::kNoVideo: return false;
    case VideoState::kWaiting:
    case VideoState::kRunning: return true;
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<Batch>> Batch::plan(std::vector<BatchInput> inputs, std::string settings_key,
                                           BatchOptions options) {
  auto names = result_names(inputs, options.name_pattern);
  if (!names) return std::move(names).error();
  std::error_code ec;
  const fs::path file = options.folder / "manifest.sqlite";
  std::unique_ptr<Batch> out(new Batch(std::move(options)));
  if (!out->options_.look_only) fs::create_directories(out->options_.folder, ec);
  if (!out->options_.look_only || fs::exists(file, ec)) {
    auto manifest = Manifest::open(file);
    if (!manifest) return std::move(manifest).error();
    out->manifest_ = std::move(*manifest);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    BatchTask task{std::move(inputs[i]), {}, true};
    task.entry.path = task.input.path;
    task.entry.settings_key = settings_key;
    task.entry.result = (*names)[i];
    look_at(task.input.path, task.entry);
    Result<std::optional<ManifestEntry>> before = std::optional<ManifestEntry>();
    if (out->manifest_) before = out->manifest_->find(task.input.path);
    if (!before) return std::move(before).error();
    if (*before && (*before)->result == task.entry.result && still_holds(**before, task.entry)) {
      ManifestEntry now = std::move(**before);
      now.modified_ns = task.entry.modified_ns;
      task.due = is_due(now, out->options_);
      task.entry = std::move(now);
    }
    out->tasks_.push_back(std::move(task));
  }
  return out;
}

Result<void> Batch::run(const Context& context, const std::shared_ptr<const Model>& model,
                        const BatchListener& listener, std::stop_token stop) {
  std::stop_source ours;
  const std::stop_callback pass_on(stop, [&] { ours.request_stop(); });
  std::atomic<std::size_t> next = 0;
  std::mutex telling;
  std::optional<Error> first;
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks_.size() && !ours.stop_requested(); i = next++) {
      if (!tasks_[i].due) continue;
      auto done = watch(tasks_[i], context, model, listener, telling, ours.get_token());
      if (done) continue;
      const std::scoped_lock lock(telling);
      if (!first) first = done.error();
      ours.request_stop();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < options_.jobs; ++i) others.emplace_back(work);
    work();
  }
  if (first && first->kind != ErrorKind::kStopped) return *first;
  if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped; the same command goes on"};
  return {};
}

Result<void> Batch::watch(BatchTask& task, const Context& context, const std::shared_ptr<const Model>& model,
                          const BatchListener& listener, std::mutex& telling, std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  ManifestEntry& entry = task.entry;
  if (entry.content_key.empty()) entry.content_key = source_key(entry.path);
  entry.state = VideoState::kRunning;
  entry.error.clear();
  ++entry.attempts;
  if (auto kept = manifest_->put(entry); !kept) return kept;
  {
    const std::scoped_lock lock(telling);
    listener.begun(entry);
  }

  Settings settings = context.settings;
  settings.inputs = {entry.path};
  settings.output = options_.folder / entry.result;
  settings.checkpoint = settings.output.string() + ".checkpoint";
  settings.threads = std::max(1, settings.thread_count() / options_.jobs);
  std::error_code ec;
  fs::create_directories(settings.output.parent_path(), ec);
  const Context own{settings, context.log, context.signals};

  // The checkpoint of another attempt may be of other settings or contents: then the video is watched from its start.
  auto opened = Analysis::open(own, entry.path, model, stop);
  if (!opened && opened.error().kind == ErrorKind::kModel && fs::remove(settings.checkpoint, ec)) {
    opened = Analysis::open(own, entry.path, model, stop);
  }
  PipelineOutcome outcome;
  double first_t = 0, last_t = 0;
  bool any = false;
  if (opened) {
    Analysis& analysis = **opened;
    const auto continued = analysis.continued_result();
    auto file = continued ? ResultFile::resume(settings.output, *continued) : ResultFile::create(settings.output);
    if (!file) return file.error();
    JsonLinesSink sink(
        std::move(*file), continued ? std::nullopt : std::optional(analysis.header()),
        [&](const TensorFile& state, std::int64_t bytes) { return analysis.save_checkpoint(state, bytes); });
    if (continued) {
      const Rational& base = analysis.info().time_base;
      any = true;
      first_t = static_cast<double>(analysis.info().first_pts * base.num) / static_cast<double>(base.den);
    }
    PipelineOptions options;
    options.encoders = settings.thread_count();
    options.leave_open = options_.memories;
    options.checkpoint_due = every(settings.checkpoint_every_s);
    options.on_frame = [&](const FrameTime& time) {
      if (!std::exchange(any, true)) first_t = time.t;
      last_t = time.t;
      const std::scoped_lock lock(telling);
      listener.frame(time);
    };
    outcome = analysis.run(sink, options, stop);
    if (options_.memories && outcome.state && !outcome.error && outcome.end.reason != "stopped") {
      fs::path memory = settings.output;
      memory.replace_extension(".ltm");
      if (auto saved = analysis.save_memory(memory, *outcome.state); !saved) return saved;
    }
  } else {
    outcome.error = opened.error();
  }

  entry.took_s += std::chrono::duration<double>(Clock::now() - start).count();
  if (stop.stop_requested() && (!outcome.error || outcome.error->kind == ErrorKind::kStopped)) {
    entry.state = VideoState::kWaiting;
    if (auto kept = manifest_->put(entry); !kept) return kept;
    return Error{ErrorKind::kStopped, "stopped"};
  }
  entry.frames = outcome.end.frames;
  entry.events = outcome.end.events;
  entry.decode_errors = outcome.end.decode_errors;
  entry.video_s = last_t - first_t;
  if (!outcome.error) {
    entry.state = VideoState::kDone;
    fs::remove(settings.checkpoint, ec);  // there is nothing to continue
  } else {
    if (outcome.error->kind != ErrorKind::kInput && outcome.error->kind != ErrorKind::kSource) return *outcome.error;
    entry.error = outcome.error->message;
    const bool may_be_anything = !task.input.named && !has_video_ending(entry.path);
    entry.state = may_be_anything && !opened ? VideoState::kNoVideo : VideoState::kFailed;
  }
  if (auto kept = manifest_->put(entry); !kept) return kept;
  const std::scoped_lock lock(telling);
  listener.ended(entry);
  if (entry.state == VideoState::kFailed && options_.fail_fast) return *outcome.error;
  return {};
}

}  // namespace longtake
