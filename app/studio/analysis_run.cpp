#include "app/studio/analysis_run.h"

#include <random>
#include <system_error>
#include <utility>

#include "app/analysis.h"
#include "app/json_lines_sink.h"
#include "app/studio/live_tap.h"
#include "app/studio/model_holder.h"
#include "core/live/live_source.h"
#include "core/records/read_result.h"

namespace longtake {
namespace {

// Into the result, and to those who watch.
class WatchedSink final : public Sink {
 public:
  WatchedSink(JsonLinesSink& result, const std::function<void(std::vector<Record>)>& records, LiveTap* tap)
      : result_(result), records_(records), tap_(tap) {}

  Result<void> begin(const StreamInfo& info) override { return result_.begin(info); }
  Result<void> accept(std::span<const Record> records) override {
    if (auto done = result_.accept(records); !done) return done;
    if (tap_ != nullptr) tap_->watched(records);
    records_({records.begin(), records.end()});
    return {};
  }
  Result<void> checkpoint(const TensorFile& state) override { return result_.checkpoint(state); }
  Result<void> finish(const EndRecord& end) override { return result_.finish(end); }

 private:
  JsonLinesSink& result_;
  const std::function<void(std::vector<Record>)>& records_;
  LiveTap* const tap_;
};

// A camera that is switched off for a while is found again; one that was never there is an error.
Result<std::unique_ptr<FrameSource>> open_live(const SourceSpec& spec, LiveTap& tap, std::stop_token stop) {
  LiveOptions options;
  options.source = spec;
  options.wait_for_first = false;
  options.seed = std::random_device{}();
  auto live = LiveSource::open(std::move(options), {}, std::move(stop));
  if (!live) return std::move(live).error();
  tap.follow(live->get());
  return std::unique_ptr<FrameSource>(std::move(*live));
}

// A live source ends with its analysis, and is followed no longer.
struct Following {
  LiveTap* tap;
  ~Following() {
    if (tap != nullptr) tap->follow(nullptr);
  }
};

}  // namespace

AnalysisRun::AnalysisRun(Settings settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log,
                         const StopSignals& signals, Listener listener, LiveTap* tap)
    : settings_(std::move(settings)),
      model_(model),
      log_(std::move(log)),
      signals_(signals),
      listener_(std::move(listener)),
      tap_(tap),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

// What an earlier run left, before anything is added to it.
void AnalysisRun::hand_over_earlier() {
  constexpr std::size_t kBatch = 1000;
  std::vector<Record> batch;
  const auto read = read_result(settings_.output, [&](Record&& record) {
    batch.push_back(std::move(record));
    if (batch.size() >= kBatch) listener_.records(std::exchange(batch, {}));
  });
  if (!read) log_->warn("{}", read.error().message);
  listener_.records(std::move(batch));
}

void AnalysisRun::run(const std::stop_token& stop) {
  const Context context{settings_, *log_, signals_};
  const auto fail = [&](Error error) { listener_.done({{}, std::move(error), nullptr}); };
  auto model = model_.get();
  if (!model) return fail(model.error());
  Analysis::OpenVideo open_video = open_source;
  if (tap_ != nullptr && is_live(settings_.inputs.front())) {
    open_video = [tap = tap_](const SourceSpec& spec, std::stop_token asked) {
      return open_live(spec, *tap, std::move(asked));
    };
  }
  auto opened = Analysis::open(context, settings_.inputs.front(), std::move(*model), stop, open_video);
  if (!opened) return fail(opened.error());
  const Following following{tap_};
  Analysis& analysis = **opened;
  if (tap_ != nullptr) {
    tap_->opened(analysis.info());
    analysis.wrap_source([&](std::unique_ptr<FrameSource> source) { return tapped(std::move(source), *tap_); });
  }
  if (listener_.opened) listener_.opened(analysis.info());
  const auto continued = analysis.continued_result();
  auto file = continued ? ResultFile::resume(settings_.output, *continued) : ResultFile::create(settings_.output);
  if (!file) return fail(file.error());
  if (continued) hand_over_earlier();
  JsonLinesSink result(
      std::move(*file), continued ? std::nullopt : std::optional(analysis.header()),
      [&](const TensorFile& state, std::int64_t bytes) { return analysis.save_checkpoint(state, bytes); });
  WatchedSink sink(result, listener_.records, tap_);
  PipelineOptions options;
  options.encoders = settings_.thread_count();
  if (!settings_.checkpoint.empty()) options.checkpoint_due = every(settings_.checkpoint_every_s);
  PipelineOutcome outcome = analysis.run(sink, options, stop);
  if (!settings_.save_memory.empty() && outcome.state && !outcome.error) {
    if (auto saved = analysis.save_memory(settings_.save_memory, *outcome.state); !saved) return fail(saved.error());
  }
  if (!outcome.error && outcome.end.reason != "stopped") {
    std::error_code ec;
    std::filesystem::remove(settings_.checkpoint, ec);  // the result is complete: there is nothing to continue
  }
  listener_.done({std::move(outcome.end), std::move(outcome.error), std::move(outcome.state)});
}

}  // namespace longtake
