// Loads what an evaluation compares. For the .cpp files of this folder; with LibTorch.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/eval/eval_request.h"
#include "models/model_folder.h"
#include "models/net/stack_net.h"
#include "models/train/clips.h"
#include "models/train/training.h"

namespace longtake {

struct EvaluatedModel {
  ModelFolder folder;
  StackNet net;
};

struct Evaluated {
  std::vector<EvaluatedModel> models;
  std::vector<std::string> videos;  // all that were found
  std::vector<Clip> clips;
  std::vector<std::string> clip_videos;  // what each of them is a clip of
};

// Whether a figure can be had of a model at all. Asked before videos are encoded, which can take hours.
using Suits = std::function<Result<void>(const EvaluatedModel& model)>;
inline Result<void> any_model(const EvaluatedModel&) { return {}; }

// Errors: those of `suits`; kModel.
Result<std::vector<EvaluatedModel>> load_models(const std::vector<std::filesystem::path>& folders,
                                                const Suits& suits = any_model);

// LibTorch is then left with one thread a caller, as in training. `degraded`: clips have degraded frames beside their own,
// which are encoded and kept likewise. Errors: those of `suits`; kModel (also: a model whose latent space is not the first
// one's), kInput, kUnexpected, kStopped.
Result<Evaluated> load_evaluated(const EvalRequest& request, const Suits& suits, const Note& note, std::stop_token stop,
                                 bool degraded = false);

// What learns in the layers, as figures name it: ttt_mlp, ttt_linear, or the rival's own name.
std::string learner_name(const ModelConfig& config);

// Names for `models`, of what `name` says of each; where several say the same, the name of the folder follows.
std::vector<std::string> distinct_names(const std::vector<EvaluatedModel>& models,
                                        std::string (*name)(const ModelConfig& config));

}  // namespace longtake
