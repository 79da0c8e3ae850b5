// Trains a part of a model on videos and writes a model folder that is ready to be used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/model_folder.h"
#include "models/train/features.h"
#include "models/train/training.h"

namespace longtake {

enum class TrainedPart { kStack, kRecall, kShots };

struct TrainRequest {
  TrainedPart part = TrainedPart::kStack;
  std::filesystem::path base;  // model folder: its encoder, its shape and the parts that are not trained
  bool fresh = true;           // the part begins with random weights, and the stack with a projection fitted to the videos
  // Of a part that is fresh, instead of what the base has:
  std::optional<std::string> inner;       // kStack: one of inner_names()
  std::optional<std::string> optimiser;   // kStack: one of inner::optimiser_names()
  std::optional<std::string> mini_batch;  // kStack: one of inner::mini_batch_names()
  std::optional<int> layers;         // kStack: 1 to 64
  std::optional<std::string> rule;   // kRecall: one of recall_rule_names()
  std::optional<int> keys;           // kRecall: numbers in a key, 1 to 4096
  std::optional<int> films;          // kShots: to learn from, 1 to 10,000; none: what is usual
  std::optional<int> hidden;         // kRecall: numbers in a hidden layer, 1 to 4096
  std::filesystem::path output;         // model folder; may be `base`
  std::vector<std::string> videos;      // files; folders stand for all videos below them
  std::vector<std::string> validation;  // to judge by; empty: some of the videos, which are then not trained on
  std::uint64_t seed = 1;
  FeatureCacheOptions cache;
  TrainerOptions how;  // `settings` is filled in
  int threads = 2;
};

struct TrainObserver {
  Note note;
  std::function<void(const TrainerStep&)> step;
};

// Whatever can be wrong with the request is told before the first video is encoded. Errors: kInput, kModel, kUsage,
// kUnexpected, kStopped (the same request goes on).
Result<TrainerOutcome> train_model(const TrainRequest& request, const TrainObserver& observer, std::stop_token stop);

}  // namespace longtake
