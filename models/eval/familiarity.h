// What a memory's answers are worth: do they tell what was watched from what was not, do they mean what they say, and how
// does that change with time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/eval/calibration.h"
#include "models/eval/statistics.h"
#include "models/recall/familiarity.h"

namespace longtake {

// One question.
struct AskedOnce {
  bool seen = false;       // the truth
  double familiarity = 0;  // 0 … 1
  double odds = 0;
  double age_s = 0;  // of what was seen: seconds of video watched since
};

struct FamiliarityFigures {
  std::int64_t seen = 0, unseen = 0;
  double auroc = 0;
  Interval interval;          // of the AUROC, over questions
  double calibration_error = 0;
  struct Age {
    double age_s = 0;  // mean
    std::int64_t seen = 0;
    double auroc = 0;        // of these against all that were not seen
    double familiarity = 0;  // mean
  };
  std::vector<Age> decay;  // what was seen in at most four equal parts, the youngest first
};
// None unless both kinds were asked about.
std::optional<FamiliarityFigures> familiarity_figures(std::span<const AskedOnce> asked);

// A memory tests itself: the samples that it kept of what it watched, as they were, against the background.
std::vector<AskedOnce> ask_itself(FrozenMemory& memory);

// How well one memory knows another one's landmarks.
struct Acquaintance {
  std::int64_t landmarks = 0, known = 0;  // known: familiarity from .5 on
  double familiarity = 0;                 // mean; NaN without landmarks
};
Acquaintance acquaintance(FrozenMemory& knower, const LandmarkState& landmarks);

// ‖a − b‖ / sqrt((‖a‖² + ‖b‖²) / 2) of what two memories learned (the start taken off): 0 the same, √2 nothing in common.
// NaN where neither learned anything.
double learned_distance(const RecallWeights& weights, const RecallState& a, const RecallState& b);

}  // namespace longtake
