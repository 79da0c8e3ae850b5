#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "app/training_report.h"
#include "models/train/label_training.h"
#include "models/train/train_model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, FrameView> kViews{
    {"plain", FrameView::kPlain}, {"mirrored", FrameView::kMirrored}, {"upside-down", FrameView::kUpsideDown}};

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
  const auto usual = [&](auto stack, auto recall, auto shots) {
    return part == TrainedPart::kStack ? stack : part == TrainedPart::kRecall ? recall : shots;
  };
  request.how.steps = usual(160, 200, 600);
  request.how.rate = usual(3e-3, 2e-3, 3e-3);
  if (auto done = common_training_options(context, train, request.how); !done) return context.fail(done.error());
  if (request.how.checkpoint.empty()) request.how.checkpoint = request.output / "training.checkpoint";
  auto report = TrainingReport::begin(context, train, request.how.steps, "held out");
  if (!report) return context.fail(report.error());
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
  request.cache = feature_cache_options(context, train);
  request.cache.on_frame = [&](const StreamInfo& info, std::int64_t frames, double seconds) {
    report->encoding(info, frames, seconds);
  };
  TrainObserver observer;
  observer.note = [&](const std::string& sentence) { report->note(sentence); };
  observer.step = [&](const TrainerStep& step) { report->step(step); };
  const auto outcome = train_model(request, observer, context.signals.token());
  report->close();
  if (!outcome) return context.fail(outcome.error());
  report->outcome(request.output.string(), *outcome);
  return kExitDone;
}

int run_train_labels(const Context& context, const TrainSettings& train, const LabelTrainingSettings& labels) {
  const Settings& settings = context.settings;
  LabelTrainRequest request;
  auto base = context.model_path();
  if (!base) return context.fail(base.error());
  request.base = *base;
  request.truth = labels.truth;
  request.root = labels.root;
  request.column = labels.column;
  request.split = labels.split;
  request.validation = labels.validation;
  request.test = labels.test;
  request.output = settings.output;
  request.seed = train.seed;
  request.threads = settings.thread_count();
  request.views.clear();
  for (const std::string& view : labels.views) request.views.push_back(kViews.at(view));
  request.how.steps = 160;
  request.how.rate = 2e-3;
  request.how.judge_every = 40;
  if (auto done = common_training_options(context, train, request.how); !done) return context.fail(done.error());
  if (request.how.checkpoint.empty()) request.how.checkpoint = settings.output.string() + ".checkpoint";
  auto report =
      TrainingReport::begin(context, train, request.how.steps, labels.validation.empty() ? "learned from" : "held out");
  if (!report) return context.fail(report.error());
  request.cache = feature_cache_options(context, train);
  request.cache.on_frame = [&](const StreamInfo& info, std::int64_t frames, double seconds) {
    report->encoding(info, frames, seconds);
  };
  auto outcome = train_labels(
      request, [&](const std::string& sentence) { report->note(sentence); },
      [&](const TrainerStep& step) { report->step(step); }, context.signals.token());
  report->close();
  if (!outcome) return context.fail(outcome.error());
  report->outcome(settings.output.string(), outcome->trained);
  const auto figures = [](const LabelCounts& counts) {
    return nlohmann::ordered_json{{"frame_accuracy", counts.frame_accuracy()}, {"macro_f1", counts.macro_f1()}};
  };
  if (outcome->net) {
    context.log.info(
        "split {}, which nothing was learned or chosen from: net: accuracy {:.3f}, macro F1 {:.3f}; linear probe: "
        "{:.3f}, {:.3f}",
        labels.test, outcome->net->frame_accuracy(), outcome->net->macro_f1(), outcome->probe->frame_accuracy(),
        outcome->probe->macro_f1());
  }
  if (settings.json) {
    nlohmann::ordered_json out = headed("train labels");
    out["labels"] = outcome->names;
    out["seed"] = train.seed;
    out["steps"] = outcome->trained.steps;
    out["kept_step"] = outcome->trained.best_step;
    out["seconds"] = outcome->trained.seconds;
    out["test"] = outcome->net ? nlohmann::ordered_json{{"net", figures(*outcome->net)},
                                                        {"linear_probe", figures(*outcome->probe)}}
                               : nlohmann::ordered_json(nullptr);
    fmt::print("{}\n", out.dump());
  }
  return kExitDone;
}

}  // namespace longtake
