// How well models foresee the next latents of videos: by horizon, and by how many frames they have seen.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/eval_request.h"
#include "models/train/training.h"

namespace longtake {

struct PredictionCurves {
  struct Horizon {
    double seconds = 0;
    Compared error;  // mean square per latent number, over all frames of all clips
  };
  struct Context {
    std::int64_t frames = 0;  // seen: this many or more, and fewer than twice as many
    std::int64_t clips = 0;   // that are so long
    Compared error;           // as a fraction of persistence's on the same frames, mean over horizons
  };
  struct InnerLoss {
    std::string model;
    double seconds = 0;          // 0: the first frame; s: frames after s − 1 up to s seconds
    std::vector<double> layers;  // before the frame was learned from
  };
  std::vector<Horizon> horizons;
  std::vector<Context> context;
  // Of the first 80 s, over clips that last as long; if there are none, of the longest clip.
  std::vector<InnerLoss> inner_loss;
  std::int64_t clips = 0;
  std::int64_t frames = 0;
};

// Every clip is watched from its start at 12.5 frames a second, by a fresh state. Compared are the models, each under
// the name of what its layers learn with (ttt_mlp, ttt_linear, or its rival's), "running_means" (the first model's
// prediction without what its layers add) and "persistence" (the last frame).
//
// Errors: kModel (also when models do not share the first one's latent space or horizons: their errors would not be of
// the same numbers), kInput, kUnexpected, kStopped.
Result<PredictionCurves> evaluate_prediction(const EvalRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
