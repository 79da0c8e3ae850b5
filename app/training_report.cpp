#include "app/training_report.h"

#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace longtake {
namespace {

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

}  // namespace

Result<void> common_training_options(const Context& context, const TrainSettings& train, TrainerOptions& how) {
  if (!train.budget.empty()) {
    auto seconds = parse_duration(train.budget);
    if (!seconds) return std::move(seconds).error();
    how.budget_s = *seconds;
  }
  how.steps = train.steps.value_or(how.steps);
  how.rate = train.rate.value_or(how.rate);
  how.checkpoint = context.settings.checkpoint;
  how.checkpoint_every_s = context.settings.checkpoint_every_s;
  return {};
}

FeatureCacheOptions feature_cache_options(const Context& context, const TrainSettings& train) {
  FeatureCacheOptions out;
  out.folder = train.cache.empty() ? default_feature_folder() : train.cache;
  out.threads = context.settings.thread_count();
  return out;
}

std::string told(const Figures& figures) {
  std::string out;
  for (const auto& [name, value] : figures) {
    if (name != "score") out += fmt::format("  {} {:.3f}", name, value);
  }
  return out;
}

TrainingReport::TrainingReport(const Context& context, const TrainSettings& train, std::int64_t steps,
                               std::string judged_on)
    : context_(context),
      train_(train),
      judged_on_(std::move(judged_on)),
      progress_(context.settings.progress_mode()),
      curves_(steps) {}

Result<TrainingReport> TrainingReport::begin(const Context& context, const TrainSettings& train, std::int64_t steps,
                                             std::string judged_on) {
  TrainingReport out(context, train, steps, std::move(judged_on));
  if (!train.log.empty()) {
    auto opened = TrainingLog::open(train.log);
    if (!opened) return std::move(opened).error();
    out.log_.emplace(std::move(*opened));
  }
  if (!train.plot.empty()) {
    if (auto done = check_plot_file(train.plot); !done) return std::move(done).error();
  }
  return out;
}

void TrainingReport::note(const std::string& sentence) {
  progress_.clear();
  context_.log.info("{}", sentence);
}

void TrainingReport::encoding(const StreamInfo& info, std::int64_t frames, double seconds) {
  progress_.frame(info, frames, seconds);
}

void TrainingReport::step(const TrainerStep& step) {
  progress_.clear();
  if (log_ && !begun_) {
    keep_log(log_->go_on_at(step.step, [&](const nlohmann::ordered_json& line) { curves_.add(line); }));
  }
  begun_ = true;
  const nlohmann::ordered_json line = log_line(step);
  curves_.add(line);
  if (log_) keep_log(log_->write(line));
  if (!step.judged) return;
  plot();
  context_.log.info("step {}/{}  loss {:.4f}  {}:{}  ({:.0f} s)", step.step, step.steps, step.loss, judged_on_,
                    told(*step.judged), step.seconds);
}

void TrainingReport::close() {
  progress_.clear();
  plot();
}

void TrainingReport::outcome(const std::string& what, const TrainerOutcome& outcome) {
  context_.log.info("{}: the weights of step {} of {}; {}:{}", what, outcome.best_step, outcome.steps, judged_on_,
                    told(outcome.best));
  if (outcome.ended == "no better") context_.log.info("ended early: the held-out figures had stopped falling");
  if (outcome.ended == "budget") context_.log.info("ended by --budget");
}

void TrainingReport::plot() {
  if (train_.plot.empty() || !begun_) return;
  if (auto done = write_plots(train_.plot, curves_.plots()); !done) context_.log.warn("{}", done.error().message);
}

// A log that fails is left off: its reason is told once.
void TrainingReport::keep_log(const Result<void>& done) {
  if (done) return;
  context_.log.warn("{}", done.error().message);
  log_.reset();
}

}  // namespace longtake
