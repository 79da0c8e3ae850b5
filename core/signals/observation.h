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

struct Observation {
  std::int64_t frame = 0;
  std::int64_t pts = 0;
  double t = 0;   // seconds, truncated
  double dt = 0;  // seconds since the frame before; 0 for the first one after a start or a discontinuity
  std::optional<double> next_latent_error;  // absent where nothing was predicted
  std::optional<double> novelty;                     // absent without a recall memory
  std::optional<std::array<float, 16>> novelty_map;  // absent unless wanted
  std::vector<LayerLoss> layers;
  std::vector<float> probabilities;  // of the encoder's own classes; empty if switched off
  Thumbnail thumbnail{};
};

}  // namespace longtake
