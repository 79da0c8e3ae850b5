#include "models/train/trainer.h"

#include <malloc.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <system_error>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "models/net/products.h"
#include "models/net/tensor_file.h"
#include "models/on_threads.h"
#include "models/train/adamw.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr char kNow[] = "now.";
constexpr char kBest[] = "best.";
constexpr char kSettings[] = "settings";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Everything that a run goes on from.
struct Progress {
  std::int64_t step = 0;  // done
  double seconds = 0;
  std::int64_t best_step = 0;
  double best_score = std::numeric_limits<double>::infinity();
  std::int64_t worse = 0;  // judgements since the best one
  Figures best;
  definition::Parameters best_parameters;
};

definition::Parameters copied(const definition::Parameters& parameters) {
  definition::Parameters out;
  for (const auto& [name, parameter] : parameters) out[name] = parameter.detach().clone();
  return out;
}

void put_back(const definition::Parameters& from, definition::Parameters& to) {
  const at::NoGradGuard no_grad;
  for (auto& [name, parameter] : to) parameter.copy_(from.at(name));
}

TensorFile checkpoint_of(const Trainee& trainee, definition::Parameters& parameters, const AdamW& optimiser,
                         const Progress& progress, const std::string& settings) {
  TensorFile file;
  trainee.save(file);
  optimiser.save(file);
  for (const auto& [name, tensor] : parameters) file.tensors[kNow + name] = stored(tensor, TensorType::kF32);
  for (const auto& [name, tensor] : progress.best_parameters) {
    file.tensors[kBest + name] = stored(tensor, TensorType::kF32);
  }
  file.tensors["progress.counts"] =
      Tensor::of(std::vector<std::int64_t>{progress.step, progress.best_step, progress.worse}, {3});
  file.tensors["progress.numbers"] = Tensor::of(std::vector<double>{progress.seconds, progress.best_score}, {2});
  for (const auto& [name, value] : progress.best) {
    file.tensors["progress.best." + name] = Tensor::of(std::vector<double>{value}, {1});
  }
  file.metadata[kSettings] = settings;
  return file;
}

Result<Progress> go_on(const fs::path& path, Trainee& trainee, AdamW& optimiser, const std::string& settings) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kModel, fmt::format("cannot continue the training of \"{}\": {}", path.string(), why)};
  };
  auto file = read_tensors(path);
  if (!file) return std::move(file).error();
  const auto given = file->metadata.find(kSettings);
  if (given == file->metadata.end()) return refuse("it is not a checkpoint of a training");
  if (given->second != settings) return refuse("it was begun with other settings or videos (remove it to begin anew)");
  Progress progress;
  auto counts = file->integers("progress.counts", {3});
  auto numbers = file->doubles("progress.numbers", {2});
  if (!counts || !numbers) return refuse("it is damaged");
  progress.step = (*counts)[0];
  progress.best_step = (*counts)[1];
  progress.worse = (*counts)[2];
  progress.seconds = (*numbers)[0];
  progress.best_score = (*numbers)[1];
  constexpr std::string_view kFigure = "progress.best.";
  for (const auto& [name, tensor] : file->tensors) {
    if (!name.starts_with(kFigure)) continue;
    auto value = file->doubles(name, {1});
    if (!value) return refuse("it is damaged");
    progress.best[name.substr(kFigure.size())] = value->front();
  }
  definition::Parameters& parameters = trainee.parameters();
  definition::Parameters now;
  for (const auto& [name, parameter] : parameters) {
    auto tensor = tensor_of(*file, kNow + name, parameter.sizes().vec());
    if (!tensor) return std::move(tensor).error();
    now[name] = std::move(*tensor);
    auto best = tensor_of(*file, kBest + name, parameter.sizes().vec());
    if (!best) return std::move(best).error();
    progress.best_parameters[name] = std::move(*best);
  }
  if (auto done = optimiser.load(*file, parameters); !done) return std::move(done).error();
  if (auto done = trainee.load(*file); !done) return std::move(done).error();
  put_back(now, parameters);
  return progress;
}

// The loss of a step; its gradients go into the parameters.
double differentiate(Trainee& trainee, std::int64_t step, int threads, Figures& parts) {
  struct Shard {
    definition::Parameters parameters;  // the trainee's values, gradients of its own
    double loss = 0;
    Figures parts;
  };
  std::vector<Shard> shards(static_cast<std::size_t>(trainee.shards()));
  on_threads(std::ssize(shards), threads, [&](const auto& next) {
    // A thread takes over LibTorch's settings when it first asks for them.
    at::init_num_threads();
    for (std::int64_t i = next(); i >= 0; i = next()) {
      Shard& shard = shards[static_cast<std::size_t>(i)];
      for (const auto& [name, parameter] : trainee.parameters()) {
        shard.parameters[name] = parameter.detach().set_requires_grad(trainee.learns(name));
      }
      const at::Tensor loss = trainee.loss(step, static_cast<int>(i), shard.parameters, shard.parts);
      shard.loss = loss.item<double>();
      if (std::isfinite(shard.loss)) loss.backward();
    }
  });
  const double share = 1 / static_cast<double>(shards.size());
  double loss = 0;
  for (const Shard& shard : shards) {
    loss += share * shard.loss;
    for (const auto& [name, value] : shard.parts) parts[name] += share * value;
  }
  for (auto& [name, parameter] : trainee.parameters()) {
    at::Tensor sum;
    for (Shard& shard : shards) {
      const at::Tensor& gradient = shard.parameters.at(name).grad();
      if (!gradient.defined()) continue;
      sum = sum.defined() ? sum.add_(gradient) : gradient;
    }
    parameter.mutable_grad() = sum.defined() ? sum.mul_(share) : sum;
  }
  return loss;
}

}  // namespace

std::int64_t usual_patience(const TrainerOptions& options) {
  return std::max<std::int64_t>(4, options.steps / (4 * options.judge_every));
}

double scheduled_rate(const TrainerOptions& options, std::int64_t step) {
  const auto steps = static_cast<double>(options.steps);
  const double warm = std::max(1.0, options.warm_up * steps);
  const double done = static_cast<double>(step) + 1;
  if (done <= warm) return options.rate * done / warm;
  const double along = (done - warm) / std::max(1.0, steps - warm);  // 0 … 1
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * along));
  return options.rate * (options.last_rate + (1 - options.last_rate) * cosine);
}

void prepare_for_training() {
  at::set_num_threads(1);
  keep_blas_to_one_thread();
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most it takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

Result<TrainerOutcome> train(Trainee& trainee, const TrainerOptions& options,
                             const std::function<void(const TrainerStep&)>& on_step, std::stop_token stop) {
  definition::Parameters& parameters = trainee.parameters();
  AdamWOptions adamw;
  adamw.weight_decay = options.weight_decay;
  adamw.decays = [&](std::string_view name) { return trainee.decays(name); };
  AdamW optimiser(adamw);
  Progress progress;
  std::error_code ec;
  const bool checkpoints = !options.checkpoint.empty();
  if (checkpoints && fs::exists(options.checkpoint, ec)) {
    auto resumed = go_on(options.checkpoint, trainee, optimiser, options.settings);
    if (!resumed) return std::move(resumed).error();
    progress = std::move(*resumed);
  }
  const double before = progress.seconds;
  const Clock::time_point start = Clock::now();
  Clock::time_point written = start;
  const auto write = [&]() -> Result<void> {
    written = Clock::now();
    return write_tensors(options.checkpoint, checkpoint_of(trainee, parameters, optimiser, progress, options.settings));
  };

  const auto judge = [&] {
    const at::NoGradGuard no_grad;
    Figures judged = trainee.judge(options.threads);
    const double score = judged.at("score");
    if (score < progress.best_score || options.keep_last || progress.best_parameters.empty()) {
      progress.best_score = score;
      progress.best_step = progress.step;
      progress.best = judged;
      progress.best_parameters = copied(parameters);
      progress.worse = 0;
    } else {
      ++progress.worse;
    }
    return judged;
  };

  TrainerOutcome outcome;
  outcome.ended = "steps";
  // What is there before the first step may be the best there is. (A training stopped right here has its judgement.)
  if (progress.best_parameters.empty()) {
    TrainerStep report;
    report.steps = options.steps;
    report.judged = judge();
    if (on_step) on_step(report);
  }
  while (progress.step < options.steps) {
    if (progress.worse >= options.patience.value_or(usual_patience(options))) {
      outcome.ended = "no better";
      break;
    }
    if (options.budget_s && progress.seconds > *options.budget_s) {
      outcome.ended = "budget";
      break;
    }
    if (stop.stop_requested()) {
      if (checkpoints) {
        if (auto done = write(); !done) return std::move(done).error();
      }
      return Error{ErrorKind::kStopped, checkpoints ? "the training was stopped; the same command goes on with it"
                                                    : "the training was stopped"};
    }
    TrainerStep report;
    report.loss = differentiate(trainee, progress.step, options.threads, report.parts);
    if (std::isfinite(report.loss)) report.gradient = clip_gradients(parameters, options.clip);
    if (!std::isfinite(report.loss) || !std::isfinite(report.gradient)) {
      return Error{ErrorKind::kUnexpected,
                   fmt::format("the {} of training step {} is not finite, on {}",
                               std::isfinite(report.loss) ? "gradient" : "loss", progress.step + 1,
                               trainee.describe(progress.step))};
    }
    report.rate = scheduled_rate(options, progress.step);
    optimiser.step(parameters, report.rate);
    ++progress.step;
    if (progress.step % options.judge_every == 0 || progress.step == options.steps) report.judged = judge();
    progress.seconds = before + seconds_since(start);
    report.step = progress.step;
    report.steps = options.steps;
    report.seconds = progress.seconds;
    if (on_step) on_step(report);
    if (checkpoints && seconds_since(written) >= options.checkpoint_every_s) {
      if (auto done = write(); !done) return std::move(done).error();
    }
  }
  if (!progress.best_parameters.empty()) put_back(progress.best_parameters, parameters);
  trainee.finish(options.threads);
  outcome.steps = progress.step;
  outcome.best_step = progress.best_step;
  outcome.best_score = progress.best_score;
  outcome.best = progress.best;
  outcome.seconds = progress.seconds;
  return outcome;
}

}  // namespace longtake
