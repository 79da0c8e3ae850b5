// What is unusual for a camera that stands still: each part of a picture against what another memory kept of the same part.
//
// Familiarity asks whether a frame as a whole was seen, and its scale is fitted over places; of one place it says little
// about a corner where something stands that never stood there. Here every part has a scale of its own. The reference is
// what the memory kept, its samples and landmarks. A part lies as far from it as from the nearest of them, and how far that
// usually is, the samples tell, each held against all others that lie at least a second off: a part in which leaves move is
// far from every other moment all day, and this is usual there.
//
// (Nearest neighbours of patches as in PatchCore, Roth et al. 2022, by position as in PaDiM, Defard et al. 2021, but with a
// scale for each position. On three videos of standing cameras such nearest neighbours over 7x7 and 14x14 parts of finer
// maps of the encoder did not tell more: tests/bench/finer_parts.py.)
#pragma once

#include <array>
#include <span>
#include <vector>

#include "models/recall/landmarks.h"
#include "models/recall/recall_memory.h"
#include "models/recall/samples.h"

namespace longtake {

// Fixed size: kSamples + kLandmarks frames. Thread-safe once made.
class UsualParts {
 public:
  // Throws std::invalid_argument if the two are of frames of different sizes.
  UsualParts(const LandmarkState& landmarks, const SampleState& samples);

  // latents [tokens][latent] of a frame → of each part, row by row, how many robust deviations (of 1.4826 times the median
  // absolute one) it lies farther from what was kept than usual. Below zero: nearer. All zero for a memory without samples.
  // Throws std::invalid_argument if there are not as many.
  std::array<float, kRecallTokens> deviations(std::span<const float> latents) const;

 private:
  struct Usual {
    double centre = 0, spread = 0;
  };

  std::size_t numbers_;                     // of a part
  std::vector<std::vector<float>> frames_;  // samples, then landmarks
  std::array<Usual, kRecallTokens> usual_;
};

}  // namespace longtake
