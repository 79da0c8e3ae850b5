// Fits what familiarity.h makes probabilities with, and gathers the background that percentiles are taken of.
//
// Memories are made by watching a few of the clips, whole, each in one of eight views (turned and mirrored, as places of
// their own); then seconds and single frames of what was watched and of what was not are asked about, all of them degraded:
// as degrade.h does, or, every other time, as they are in copies of the videos, where there are such. The number for several
// frames is fitted by itself, after the others, to seconds alone: of watched clips, and of the unwatched clips that look most
// like them. Equal input gives equal bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/recall/familiarity.h"
#include "models/train/features.h"
#include "models/train/training.h"

namespace longtake {

struct FamiliarityFitRequest {
  std::filesystem::path model;      // folder; the file is written into it
  std::vector<std::string> videos;  // files and folders
  // A folder with a degraded copy of every video, of the same name; empty: there are none. See assets/models/degraded_copies.sh.
  std::filesystem::path copies;
  FeatureCacheOptions cache;
  std::uint64_t seed = 1;
  int threads = 2;
  int draws = 48;             // memories
  int most_watched = 16;      // clips in one of them, 1 … so many, each order of magnitude as often as the others
  int asked = 32;             // about what was watched, and as often about what was not
  int background_frames = 128;
};

struct HeldOut {
  double auroc = 0, calibration_error = 0;
};

struct FamiliarityFit {
  FamiliarityScale scale;
  std::int64_t clips = 0, answers = 0;
  // Of every second memory, by a fit to the others: pictures of anything; seconds, those unwatched looking most like watched ones.
  HeldOut pictures, alike;
};

// Errors: kModel (no recall memory), kInput (fewer than four clips), kUnexpected, kStopped, and those of FeatureCache.
Result<FamiliarityFit> fit_familiarity(const FamiliarityFitRequest& request, const Note& note, std::stop_token stop);

// A judgement to fit to.
struct FittedAnswer {
  Evidence evidence;
  bool seen = false;
};
// a, b and c of familiarity.h: the most likely ones, with a little pull towards 0 so that they stay finite where all is
// told apart. Newton's method on the logistic loss.
std::array<double, 3> fit_odds(std::span<const FittedAnswer> answers);
// Likewise what is to be added to these weights' odds where there are several frames; answers of one frame tell nothing.
double fit_several(std::span<const FittedAnswer> answers, const FamiliarityScale& scale);

}  // namespace longtake
