// `longtake live`: one camera or stream, until it is stopped.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "app/analysis.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/json_lines_sink.h"
#include "app/live/live_sink.h"
#include "app/live/metrics.h"
#include "app/live/metrics_server.h"
#include "app/live/stats_line.h"
#include "app/version.h"
#include "core/live/live_source.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

DropPolicy policy_of(const std::string& name) {
  if (name == "block") return DropPolicy::kBlock;
  return name == "adaptive" ? DropPolicy::kAdaptive : DropPolicy::kOldest;
}

// A result that is there stays: door.jsonl becomes door-20261124T031500.123Z.jsonl, the time of its last change.
Result<void> put_aside(const fs::path& path) {
  std::error_code ec;
  if (path == "-" || !fs::is_regular_file(path, ec) || fs::file_size(path, ec) == 0) return {};
  std::string time = utc_time(std::chrono::file_clock::to_sys(fs::last_write_time(path, ec)));
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  for (int n = 1;; ++n) {
    fs::path aside = path;
    aside.replace_filename(fmt::format("{}-{}{}{}", path.stem().string(), time, n == 1 ? "" : fmt::format("-{}", n),
                                       path.extension().string()));
    if (fs::exists(aside, ec)) continue;
    fs::rename(path, aside, ec);
    if (!ec) return {};
    return Error{ErrorKind::kUnexpected, fmt::format("cannot put \"{}\" aside: {}", path.string(), ec.message())};
  }
}

// Calls `work` every so often, on a thread of its own.
std::jthread every_so_often(double seconds, std::function<void()> work) {
  return std::jthread(
      [apart = std::chrono::duration<double>(seconds), work = std::move(work)](const std::stop_token& stop) {
        std::mutex own;
        std::condition_variable_any never;
        std::unique_lock lock(own);
        while (!never.wait_for(lock, stop, apart, [&] { return stop.stop_requested(); })) work();
      });
}

// What is running, for those who look on from other threads.
class Now {
 public:
  void set_state(LiveState state, const std::string& why) {
    const std::scoped_lock lock(mutex_);
    counts_.state = state;
    why_ = why;
  }
  void set_live(LiveSource* live) {
    const std::scoped_lock lock(mutex_);
    live_ = live;
  }
  void set_run(const Analysis& analysis, LiveSink* sink) {
    const HeaderRecord header = analysis.header();
    const std::scoped_lock lock(mutex_);
    sink_ = sink;
    model_ = header.model;
    source_ = header.source;
    state_bytes_ = analysis.state_bytes();
  }

  LiveSource* live() const { return live_; }  // the main thread alone
  LiveState state() const { return facts().counts.state; }
  void say_stats() const {
    const std::scoped_lock lock(mutex_);
    if (sink_ != nullptr) sink_->say(stats_line(live_->counts(), why_, std::chrono::system_clock::now()));
  }
  LiveFacts facts() const {
    const std::scoped_lock lock(mutex_);
    return {kVersion,
            model_,
            source_,
            live_ != nullptr ? live_->counts() : counts_,
            sink_ != nullptr ? sink_->events() : std::map<std::string, std::int64_t>(),
            state_bytes_};
  }

 private:
  mutable std::mutex mutex_;
  LiveSource* live_ = nullptr;
  LiveSink* sink_ = nullptr;
  LiveCounts counts_;  // while there is no source yet: its state
  std::string why_, model_, source_;
  std::int64_t state_bytes_ = 0;
};

}  // namespace

int run_live(const Context& context, const LiveSettings& wanted) {
  const Settings& settings = context.settings;
  if (!settings.checkpoint.empty()) {
    return context.fail({ErrorKind::kUsage,
                         "what a camera shows does not come back: live has no --checkpoint, but "
                         "--memory FILE --save-memory FILE"});
  }
  std::stop_source stop;
  const std::stop_callback on_signal(context.signals.token(), [&stop] { stop.request_stop(); });
  std::jthread timer;
  if (wanted.run_for_s > 0) timer = every_so_often(wanted.run_for_s, [&stop] { stop.request_stop(); });

  Now now;
  std::unique_ptr<MetricsServer> metrics;
  if (!wanted.metrics.empty()) {
    auto started = MetricsServer::start(wanted.metrics, {[&now] { return prometheus_text(now.facts()); },
                                                         [&now] { return now.state() == LiveState::kStreaming; },
                                                         [&now] { return std::string(name_of(now.state())); }});
    if (!started) return context.fail(started.error());
    metrics = std::move(*started);
    context.log.info("metrics at {}/metrics", metrics->address());
  }
  const auto changed = [&](LiveState state, const std::string& because) {
    std::string line(name_of(state));
    std::ranges::replace(line, '_', ' ');
    if (!because.empty()) line += ": " + because;
    state == LiveState::kStalled || state == LiveState::kBackingOff ? context.log.warn("{}", line)
                                                                    : context.log.info("{}", line);
    now.set_state(state, because);
    now.say_stats();
  };
  LiveOptions options;
  options.drop = policy_of(wanted.drop);
  options.queue = static_cast<std::size_t>(wanted.queue);
  options.max_retries = wanted.max_retries;
  options.stalled_s = wanted.stalled_s;
  options.realtime = wanted.realtime;
  options.loops = wanted.loops;
  options.seed = std::random_device{}();
  const auto open_live = [&](const SourceSpec& spec,
                             const std::stop_token& stopped) -> Result<std::unique_ptr<FrameSource>> {
    options.source = spec;
    auto opened = LiveSource::open(options, changed, stopped);
    if (!opened) return std::move(opened).error();
    now.set_live(opened->get());
    return std::unique_ptr<FrameSource>(std::move(*opened));
  };
  Settings first = settings;
  std::error_code ec;
  if (first.memory == first.save_memory && !fs::exists(first.memory, ec)) first.memory.clear();
  auto opened =
      Analysis::open({first, context.log, context.signals}, first.inputs.front(), nullptr, stop.get_token(), open_live);
  if (!opened) {
    if (opened.error().kind == ErrorKind::kStopped) return context.signals.exit_code();  // 0: --run-for ended it
    return context.fail(opened.error());
  }
  Analysis& analysis = **opened;

  if (auto aside = put_aside(settings.output); !aside) return context.fail(aside.error());
  auto file = ResultFile::create(settings.output);
  if (!file) return context.fail(file.error());
  JsonLinesSink result(std::move(*file), analysis.header(), {});
  LiveSink sink(result, [&](const TensorFile& state) { return analysis.save_memory(settings.save_memory, state); });
  now.set_run(analysis, &sink);
  PipelineOptions run;
  run.encoders = settings.thread_count();
  run.leave_open = !settings.save_memory.empty();
  std::int64_t watched = 0;
  run.on_frame = [&](const FrameTime&) { now.live()->watched(watched++); };
  if (!settings.save_memory.empty()) run.checkpoint_due = every(settings.checkpoint_every_s);
  std::jthread stats = every_so_often(wanted.stats_every_s, [&now] { now.say_stats(); });
  const PipelineOutcome outcome = analysis.run(sink, run, stop.get_token());
  stats = {};
  metrics.reset();
  context.log.info("{}", in_words(now.live()->counts()));
  if (!settings.save_memory.empty() && outcome.state) {
    if (auto saved = analysis.save_memory(settings.save_memory, *outcome.state); !saved)
      return context.fail(saved.error());
  }
  if (outcome.error) return context.fail(*outcome.error);
  if (const int code = context.signals.exit_code(); code != 0 && outcome.end.reason == "stopped") return code;
  return kExitDone;
}

}  // namespace longtake
