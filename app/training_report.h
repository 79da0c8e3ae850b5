// What a person sees of a training, and what is kept of it: lines on the terminal, --log, --plot.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/progress.h"
#include "app/training_log.h"
#include "core/result.h"
#include "models/train/features.h"
#include "models/train/training.h"

namespace longtake {

// The options that every training has, as it takes them. Errors: kUsage.
Result<void> common_training_options(const Context& context, const TrainSettings& train, TrainerOptions& how);
FeatureCacheOptions feature_cache_options(const Context& context, const TrainSettings& train);

std::string told(const Figures& figures);  // in a line, without "score"

// One thread.
class TrainingReport {
 public:
  // `judged_on`: whose figures they are, "held out". Errors: kUsage, kUnexpected (--log and --plot cannot be written).
  static Result<TrainingReport> begin(const Context& context, const TrainSettings& train, std::int64_t steps,
                                      std::string judged_on);

  void note(const std::string& sentence);
  void encoding(const StreamInfo& info, std::int64_t frames, double seconds);  // for FeatureCacheOptions::on_frame
  void step(const TrainerStep& step);
  // The training is over, however it ended.
  void close();
  void outcome(const std::string& what, const TrainerOutcome& outcome);

 private:
  TrainingReport(const Context& context, const TrainSettings& train, std::int64_t steps, std::string judged_on);
  void plot();
  void keep_log(const Result<void>& done);

  const Context& context_;
  const TrainSettings& train_;
  std::string judged_on_;
  EncodingProgress progress_;
  TrainingCurves curves_;
  std::optional<TrainingLog> log_;
  bool begun_ = false;
};

}  // namespace longtake
