// A few of the frames that were watched, drawn evenly from all of them: what a memory is tested with when the videos are
// gone. Landmarks would not do, since they are what stands out.
//
// Reservoir sampling (Vitter 1985, algorithm R) with draws that are a function of the frame's number, so that a split
// stream keeps what the whole keeps. One thread, fixed size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

inline constexpr int kSamples = 64;  // fixes the size of a memory file

// Places 0 … min(seen, kSamples) − 1 are in use, the others zero.
struct SampleState {
  explicit SampleState(int frame_numbers) : latents(static_cast<std::size_t>(kSamples * frame_numbers)), at(kSamples) {}

  std::int64_t seen = 0;        // frames offered
  std::vector<float> latents;   // [kSamples][frame_numbers]
  std::vector<double> at;       // [kSamples] seconds watched before it, see LandmarkState::watched_s

  std::int64_t count() const noexcept { return seen < kSamples ? seen : kSamples; }
  std::span<const float> sample(std::int64_t which) const;

  template <class Archive>
  void archive(Archive& a) {
    a("seen", seen);
    a("latents", latents);
    a("at", at);
  }
};

void save_state(const SampleState& state, TensorFile& file);  // below "samples."
// Errors: kModel (missing, of another size, a count that cannot be).
Result<SampleState> load_samples(int frame_numbers, const TensorFile& file);

void offer_sample(SampleState& state, std::span<const float> latents, double at);

}  // namespace longtake
