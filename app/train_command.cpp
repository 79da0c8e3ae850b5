#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/progress.h"
#include "app/training_log.h"
#include "models/train/train_model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

// 90, 90s, 20m, 1.5h
Result<double> parse_duration(const std::string& text) {
  double unit = 1;
  std::string number = text;
  if (!number.empty()) {
    const char last = number.back();
    if (last == 'h') unit = 3600;
    if (last == 'm') unit = 60;
    if (last == 's' || last == 'm' || last == 'h') number.pop_back();
  }
  try {
    std::size_t read = 0;
    const double value = std::stod(number, &read);
    if (read == number.size() && value > 0 && std::isfinite(value)) return value * unit;
  } catch (const std::exception&) {
    // Told below.
  }
  return Error{ErrorKind::kUsage, fmt::format("\"{}\" is no length of time: 90s, 20m and 1.5h are", text)};
}

std::string told(const Figures& figures) {
  std::string out;
  for (const auto& [name, value] : figures) {
    if (name != "score") out += fmt::format("  {} {:.3f}", name, value);
  }
  return out;
}

}  // namespace

int run_train(const Context& context, TrainedPart part, const TrainSettings& train) {
  const Settings& settings = context.settings;
  TrainRequest request;
  request.part = part;
  request.output = settings.output;
  request.videos = settings.inputs;
  request.validation = train.validation;
  request.inner = train.inner;
  request.optimiser = train.optimiser;
  request.mini_batch = train.mini_batch;
  request.layers = train.layers;
  request.rule = train.rule;
  request.keys = train.keys;
  request.hidden = train.hidden;
  request.films = train.films;
  request.seed = train.seed;
  request.threads = settings.thread_count();
  if (!train.budget.empty()) {
    auto seconds = parse_duration(train.budget);
    if (!seconds) return context.fail(seconds.error());
    request.how.budget_s = *seconds;
  }
  std::optional<TrainingLog> log;
  if (!train.log.empty()) {
    auto opened = TrainingLog::open(train.log);
    if (!opened) return context.fail(opened.error());
    log.emplace(std::move(*opened));
  }
  if (!train.plot.empty()) {
    if (auto done = check_plot_file(train.plot); !done) return context.fail(done.error());
  }
  // A folder that is a model already goes on being one: the part that is not trained stays. (SHA256SUMS is written last. A
  // folder without it was being written when its training was killed.)
  std::error_code ec;
  if (!train.init.empty()) {
    request.base = train.init;
    request.fresh = false;
  } else if (fs::exists(request.output / "SHA256SUMS", ec)) {
    request.base = request.output;
  } else {
    auto base = context.model_path();
    if (!base) return context.fail(base.error());
    request.base = *base;
  }
  const auto usual = [&](auto stack, auto recall, auto shots) {
    return part == TrainedPart::kStack ? stack : part == TrainedPart::kRecall ? recall : shots;
  };
  request.how.steps = train.steps.value_or(usual(160, 200, 600));
  request.how.rate = train.rate.value_or(usual(3e-3, 2e-3, 3e-3));
  request.how.checkpoint = settings.checkpoint.empty() ? request.output / "training.checkpoint" : settings.checkpoint;
  request.how.checkpoint_every_s = settings.checkpoint_every_s;
  request.cache.folder = train.cache.empty() ? default_feature_folder() : train.cache;
  request.cache.threads = settings.thread_count();
  EncodingProgress progress(settings.progress_mode());
  request.cache.on_frame = [&](const StreamInfo& info, std::int64_t frames, double seconds) {
    progress.frame(info, frames, seconds);
  };

  TrainingCurves curves(request.how.steps);
  bool begun = false;
  const auto plot = [&] {
    if (train.plot.empty() || !begun) return;
    if (auto done = write_plots(train.plot, curves.plots()); !done) context.log.warn("{}", done.error().message);
  };
  // A log that fails is left off: its reason is told once.
  const auto keep_log = [&](const Result<void>& done) {
    if (done) return;
    context.log.warn("{}", done.error().message);
    log.reset();
  };
  TrainObserver observer;
  observer.note = [&](const std::string& sentence) {
    progress.clear();
    context.log.info("{}", sentence);
  };
  observer.step = [&](const TrainerStep& step) {
    progress.clear();
    if (log && !begun) {
      keep_log(log->go_on_at(step.step, [&](const nlohmann::ordered_json& line) { curves.add(line); }));
    }
    begun = true;
    const nlohmann::ordered_json line = log_line(step);
    curves.add(line);
    if (log) keep_log(log->write(line));
    if (step.judged) {
      plot();
      context.log.info("step {}/{}  loss {:.4f}  held out:{}  ({:.0f} s)", step.step, step.steps, step.loss,
                       told(*step.judged), step.seconds);
    }
  };
  const auto outcome = train_model(request, observer, context.signals.token());
  progress.clear();
  plot();
  if (!outcome) return context.fail(outcome.error());
  context.log.info("{}: the weights of step {} of {}; held out:{}", request.output.string(), outcome->best_step,
                   outcome->steps, told(outcome->best));
  if (outcome->ended == "no better") context.log.info("ended early: the held-out figures had stopped falling");
  if (outcome->ended == "budget") context.log.info("ended by --budget");
  return kExitDone;
}

}  // namespace longtake
