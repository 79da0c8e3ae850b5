// How well a signal tells abnormal frames from others: results against abnormal stretches.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/ground_truth.h"
#include "models/eval/statistics.h"
#include "models/eval/watched.h"

namespace longtake {

struct AnomalyRequest {
  ResultRequest of;
  std::string signal = "surprise";  // kAllSignals: every one that all of the results carry
};
inline constexpr char kAllSignals[] = "all";

// A video or all of them; NaN where there are no abnormal frames or no others. Frames for which the signal has no value (the
// first of a video, for surprise) are left out. Joined: the values of all videos as they are, none is scaled by its own.
struct AnomalyEvaluation {
  std::string signal;
  struct Figures {
    std::string video;  // empty: all
    double frame_auc = 0;
    double frame_ap = 0;
    std::size_t frames = 0;  // that have a value
    std::size_t abnormal = 0;
  };
  Figures joined;
  std::vector<Figures> by_video;
  std::vector<Interval> intervals;  // 95 %, over videos, of frame_auc and frame_ap
};

// Which frames lie in an abnormal stretch. `times` of the frames, `whole` those of all frames of the video.
std::vector<bool> abnormal_frames(const std::vector<TrueAnomaly>& truth, const std::vector<double>& times,
                                  const std::vector<double>& whole);

// One signal's, or all signals' in their fixed order. Errors: kInput (also: a result without this signal, no signal that all
// carry), kStopped.
Result<std::vector<AnomalyEvaluation>> evaluate_anomaly(const AnomalyRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
