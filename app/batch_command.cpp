#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/analysis.h"
#include "app/batch/batch.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "core/media/source.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
  std::int64_t done = 0, failed = 0, waiting = 0, no_video = 0, frames = 0, events = 0;
  double video_s = 0;
};

Counts counts_of(const Batch& batch) {
  Counts out;
  for (const BatchTask& task : batch.tasks()) {
    const ManifestEntry& entry = task.entry;
    switch (entry.state) {
      case VideoState::kDone:
        ++out.done;
        out.frames += entry.frames;
        out.events += entry.events;
        out.video_s += entry.video_s;
        break;
      case VideoState::kFailed: ++out.failed; break;
      case VideoState::kNoVideo: ++out.no_video; break;
      case VideoState::kWaiting:
      case VideoState::kRunning: ++out.waiting; break;
    }
  }
  return out;
}

// A line over itself on a terminal, or JSON lines; what has ended is said as it ends.
class BatchProgress {
 public:
  BatchProgress(const Context& context, std::int64_t due)
      : context_(context),
        line_(context.settings.progress_mode() == ProgressMode::kAuto && isatty(STDERR_FILENO) != 0),
        json_(context.settings.progress_mode() == ProgressMode::kJson),
        due_(due) {}

  void begun(const ManifestEntry& entry) { now_ = entry.path; }
  void frame() {
    ++frames_;
    const auto now = Clock::now();
    if ((!line_ && !json_) || now < next_) return;
    next_ = now + std::chrono::milliseconds(line_ ? 200 : 1000);
    draw(std::chrono::duration<double>(now - start_).count());
  }
  void ended(const ManifestEntry& entry) {
    ++ended_;
    clear();
    if (entry.state == VideoState::kFailed) {
      context_.log.warn("{}", entry.error);
    } else if (entry.state == VideoState::kDone) {
      context_.log.info("\"{}\": {} frames, {} events", entry.path, entry.frames, entry.events);
    } else {
      context_.log.info("left out: {}", entry.error);
    }
  }
  void clear() {
    if (!std::exchange(drawn_, false)) return;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void draw(double elapsed) {
    const double rate = static_cast<double>(frames_) / std::max(elapsed, 1e-3);
    if (json_) {
      fmt::print(stderr,
                 R"({{"type":"progress","videos":{},"ended":{},"frames":{},"frames_per_s":{:.2f}}})"
                 "\n",
                 due_, ended_, frames_, rate);
      return;
    }
    fmt::print(stderr, "\r{} of {} videos  {} frames  {:.0f}/s  {}\x1b[K", ended_, due_, frames_, rate, shown_name());
    std::fflush(stderr);
    drawn_ = true;
  }
  // A terminal is to show it, whatever bytes it has.
  std::string shown_name() const {
    constexpr std::size_t kMost = 40;
    std::string out = std::filesystem::path(now_).filename().string().substr(0, kMost);
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }, '?');
    return out;
  }

  const Context& context_;
  const bool line_, json_;
  const std::int64_t due_;
  std::int64_t ended_ = 0, frames_ = 0;
  std::string now_;
  Clock::time_point start_ = Clock::now(), next_ = start_;
  bool drawn_ = false;
};

void print_plan(const Batch& batch, std::stop_token stop) {
  std::int64_t due = 0;
  double seconds = 0;
  for (const BatchTask& task : batch.tasks()) {
    if (!task.due) continue;
    SourceSpec spec;
    spec.uri = task.input.path;
    const auto source = open_source(spec, stop);
    ++due;
    if (source) seconds += (*source)->info().duration_s.value_or(0);
    fmt::print("{}  ->  {}{}\n", task.input.path, task.entry.result, source ? "" : "   (cannot be opened)");
  }
  fmt::print("{} of {} videos are to be watched, {:.0f} s in all; nothing was done\n", due, batch.tasks().size(),
             seconds);
}

void print_summary(const Context& context, const Batch& batch, double seconds) {
  const Counts counts = counts_of(batch);
  if (context.settings.quiet) return;
  fmt::print(
      stderr,
      "{} done, {} failed, {} waiting, {} no videos; {} frames, {} events, {:.1f} s of video; this took {:.1f} s\n",
      counts.done, counts.failed, counts.waiting, counts.no_video, counts.frames, counts.events, counts.video_s,
      seconds);
  if (counts.failed == 0) return;
  fmt::print(stderr, "Failed:\n");
  for (const BatchTask& task : batch.tasks()) {
    if (task.entry.state == VideoState::kFailed) fmt::print(stderr, "  {}\n", task.entry.error);
  }
}

void print_json_summary(const Batch& batch) {
  const Counts counts = counts_of(batch);
  Json out;
  out["schema"] = 1;
  out["done"] = counts.done;
  out["failed"] = counts.failed;
  out["waiting"] = counts.waiting;
  out["no_video"] = counts.no_video;
  out["frames"] = counts.frames;
  out["events"] = counts.events;
  out["video_s"] = counts.video_s;
  out["videos"] = Json::array();
  for (const BatchTask& task : batch.tasks()) {
    const ManifestEntry& entry = task.entry;
    Json one{{"path", entry.path},     {"result", entry.result}, {"state", name_of(entry.state)},
             {"frames", entry.frames}, {"events", entry.events}, {"decode_errors", entry.decode_errors}};
    if (entry.state == VideoState::kFailed) one["error"] = entry.error;
    out["videos"].push_back(std::move(one));
  }
  fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

int run_batch(const Context& context, const BatchSettings& settings) {
  if (!context.settings.checkpoint.empty() || !context.settings.save_memory.empty()) {
    return context.fail({ErrorKind::kUsage,
                         "batch keeps checkpoints by itself, and memories with --memories: leave out "
                         "--checkpoint and --save-memory"});
  }
  auto inputs = batch_inputs(context.settings.inputs, {settings.include, settings.exclude}, std::cin);
  if (!inputs) return context.fail(inputs.error());
  auto path = context.model_path();
  if (!path) return context.fail(path.error());
  auto model = Model::load(*path);
  if (!model) return context.fail(model.error());
  auto key = results_key(context.settings, **model);
  if (!key) return context.fail(key.error());
  auto planned = Batch::plan(std::move(*inputs), std::move(*key),
                             {context.settings.output, settings.name, settings.jobs, settings.retry_failed,
                              settings.fail_fast, settings.memories, settings.dry_run});
  if (!planned) return context.fail(planned.error());
  Batch& batch = **planned;
  const std::stop_token stop = context.signals.token();
  if (settings.dry_run) {
    print_plan(batch, stop);
    return kExitDone;
  }

  BatchProgress progress(context, std::ranges::count(batch.tasks(), true, &BatchTask::due));
  const auto start = std::chrono::steady_clock::now();
  const auto done = batch.run(
      context, *model,
      {[&](const ManifestEntry& entry) { progress.begun(entry); },
       [&](const ManifestEntry& entry) { progress.ended(entry); }, [&](const FrameTime&) { progress.frame(); }},
      stop);
  progress.clear();
  print_summary(context, batch, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (!settings.summary.empty()) print_json_summary(batch);
  if (!done && !(settings.fail_fast && done.error().kind == ErrorKind::kInput)) return context.fail(done.error());
  return counts_of(batch).failed > 0 ? kExitSomeInputsFailed : kExitDone;
}

}  // namespace longtake
