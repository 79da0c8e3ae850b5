#include <fmt/format.h>

#include <optional>
#include <system_error>
#include <utility>

#include "app/analysis.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/json_lines_sink.h"
#include "app/progress.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

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
  const bool checkpoints = !settings.checkpoint.empty();
  if (checkpoints && settings.output == "-") {
    return context.fail({ErrorKind::kUsage, "--checkpoint needs -o FILE: standard output cannot be continued"});
  }
  auto opened = Analysis::open(context, settings.inputs.front(), nullptr, context.signals.token());
  if (!opened) return context.fail(opened.error());
  Analysis& analysis = **opened;

  const auto continued = analysis.continued_result();
  auto file = continued ? ResultFile::resume(settings.output, *continued) : ResultFile::create(settings.output);
  if (!file) return context.fail(file.error());
  JsonLinesSink sink(std::move(*file), continued ? std::nullopt : std::optional(analysis.header()),
                     [&](const TensorFile& state, std::int64_t result_bytes) {
                       return analysis.save_checkpoint(state, result_bytes);
                     });

  Progress progress(settings.progress_mode(), analysis.info());
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
  if (checkpoints) options.checkpoint_due = every(settings.checkpoint_every_s);

  const PipelineOutcome outcome = analysis.run(sink, options, context.signals.token());
  progress.clear();
  if (!settings.save_memory.empty() && outcome.state) {
    if (auto saved = analysis.save_memory(settings.save_memory, *outcome.state); !saved) return context.fail(saved.error());
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
