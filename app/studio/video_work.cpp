#include "app/studio/video_work.h"

#include <chrono>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "app/analysis.h"
#include "app/studio/session_folder.h"

namespace longtake {

VideoWork::VideoWork(What what, std::vector<std::string> given, Settings settings, std::shared_ptr<spdlog::logger> log,
                     const StopSignals& signals, ModelHolder& models, Listener listener)
    : what_(what),
      given_(std::move(given)),
      settings_(std::move(settings)),
      log_(std::move(log)),
      signals_(signals),
      models_(models),
      listener_(std::move(listener)),
      thread_([this](const std::stop_token& stop) {
        const auto done = work(stop);
        listener_.ended(done ? std::nullopt : std::optional(done.error()));
      }) {}

Result<void> VideoWork::work(const std::stop_token& stop) {
  std::istringstream nothing;  // in place of standard input
  auto inputs = batch_inputs(given_, {}, nothing);
  if (!inputs) return std::move(inputs).error();
  if (inputs->size() > kMostVideos) {
    return Error{ErrorKind::kUsage,
                 fmt::format("{} files are too many for this list: it takes {}; longtake batch takes any number",
                             inputs->size(), kMostVideos)};
  }
  auto model = models_.get();
  if (!model) return std::move(model).error();
  auto key = results_key(settings_, **model);
  if (!key) return std::move(key).error();
  BatchOptions options;
  options.folder = sessions_folder().toStdString();
  options.name_pattern = "{key}/result.jsonl";  // as session_folder() has it
  options.memories = true;
  options.retry_failed = what_ == What::kRetry;
  options.look_only = what_ == What::kLook;
  auto batch = Batch::plan(std::move(*inputs), std::move(*key), std::move(options));
  if (!batch) return std::move(batch).error();
  std::vector<ManifestEntry> found;
  for (const BatchTask& task : (*batch)->tasks()) found.push_back(task.entry);
  listener_.found(std::move(found));
  if (what_ == What::kLook) return {};

  using Clock = std::chrono::steady_clock;
  constexpr auto kApart = std::chrono::milliseconds(200);
  Clock::time_point next{};
  std::int64_t frames = 0;
  const auto frame = [&](const FrameTime& time) {
    frames = time.ordinal + 1;
    if (const auto now = Clock::now(); now >= next) {
      next = now + kApart;
      listener_.frames(frames);
    }
  };
  const Context context{settings_, *log_, signals_};
  return (*batch)->run(context, *model, {listener_.changed, listener_.changed, frame}, stop);
}

}  // namespace longtake
