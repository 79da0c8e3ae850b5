// What was seen in one frame: the numbers that decisions are made from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/records/records.h"

namespace longtake {

// A small RGB picture of the frame, upright: enough for technical cues and for plain rival signals.
inline constexpr int kThumbnailWidth = 32;
inline constexpr int kThumbnailHeight = 18;
using Thumbnail = std::array<std::uint8_t, kThumbnailHeight * kThumbnailWidth * 3>;  // [18][32][3]

// How many slots pass before the shot head knows enough to judge one.
inline constexpr std::int64_t kShotDelay = 8;

// What the shot head says of a slot: a frame, or the few that come in 1/31 s.
struct ShotVerdict {
  float transition = 0;  // probability that it is part of a change of shot
  float cut = 0;         // … that a new shot begins in it, from one frame to the next
  float change = 0;      // how much changes, on a scale of its own
};

struct ShotObservation {
  bool sharpest = false;   // at no other frame of its slot, so far, the picture changed as much
  bool ends_slot = false;  // it is the last frame of its slot
  std::vector<ShotVerdict> verdicts;  // of slots that are decided now, in their order
};

// A frame that was kept of the past, as it stands to the present one.
struct KeptFrame {
  double at = 0;     // seconds of video that had been watched when it was kept
  double apart = 0;  // mean squared difference of its latent numbers and the present frame's
};

// How the present frame stands to what was watched before it.
struct PastDistances {
  double watched = 0;  // seconds of video, on the clock of KeptFrame::at
  double change = 0;   // mean squared difference of its latent numbers and their mean just before it; 0 where there is none
  std::vector<KeptFrame> kept;  // a bounded number, unlike each other, in no order
};

struct Observation {
  std::int64_t frame = 0;
  std::int64_t pts = 0;
  double t = 0;   // seconds, truncated
  double dt = 0;  // seconds since the frame before; 0 for the first one after a start or a discontinuity
  std::optional<double> next_latent_error;  // absent where nothing was predicted
  std::optional<double> novelty;                     // absent without a recall memory
  std::optional<PastDistances> past;                  // likewise
  std::optional<std::array<float, 16>> novelty_map;  // absent unless wanted
  std::optional<double> familiarity;                 // 0 … 1, to a memory that stands still; absent without one
  std::optional<std::array<float, 16>> deviation_map;  // of the parts, from what that memory kept; likewise
  std::optional<ShotObservation> shot;               // absent without a shot head
  std::optional<PlainSignals> signals;               // absent unless wanted
  std::vector<LayerLoss> layers;
  std::vector<float> probabilities;  // of the encoder's own classes; empty if switched off
  std::vector<float> labels;         // how likely each label is, adding to 1, "unknown" last; empty without labels
  Thumbnail thumbnail{};
};

}  // namespace longtake
