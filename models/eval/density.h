// What looking at more frames a second buys, and what it costs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/eval_request.h"
#include "models/train/training.h"

namespace longtake {

struct DensityRequest {
  EvalRequest eval;              // cache.fps is not looked at
  std::filesystem::path truth;   // boundaries.csv; empty: none
  std::filesystem::path labels;  // labels.csv; empty: none
  std::vector<int> fps{1, 2, 5, 10, 25};
};

// NaN: there is nothing to say it from.
struct DensityCurves {
  struct Point {
    std::string model;
    double fps = 0;
    // Boundaries of the videos that `truth` names, found to two frames of the whole video.
    double boundary_f1 = 0;
    // Share of the labelled events under 2 s that have an event or a peak of surprise within 0.5 s; and of spans of the
    // same lengths anywhere in the video, since more frames have more peaks.
    double short_event_recall = 0;
    double short_event_chance = 0;
    double prediction_error = 0;       // 0.4 s ahead, as a fraction of persistence's
    double cost_per_video_second = 0;  // processor seconds, from the file to the records
  };
  std::vector<Point> points;
  double video_s = 0;
  std::int64_t boundaries = 0;
  std::int64_t short_events = 0;
};

// Every video is watched by the program's own pipeline at each rate. A peak of surprise is a frame that is 3 or more robust
// standard deviations off, and no less than its neighbours.
//
// Errors: kModel (also of a model that cannot watch streams), kInput, kUnexpected, kStopped.
Result<DensityCurves> evaluate_density(const DensityRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
