// Stretches of videos to train on and to judge by, as features.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "models/train/features.h"
#include "models/videos.h"

namespace longtake {

struct Clip {
  std::shared_ptr<const Features> features;
  std::int64_t first = 0;  // frame
  std::int64_t end = 0;    // the frame after the last
  std::shared_ptr<const Features> degraded{};  // the same frames as degrade.h changes them; null: not at hand

  std::int64_t frames() const { return end - first; }
  double start_s() const { return features->seconds(first); }
  double duration_s() const { return features->seconds(end - 1) - start_s(); }
};

Clip whole(std::shared_ptr<const Features> features, std::shared_ptr<const Features> degraded = nullptr);
// A clip a video; those of a single frame are left out with a note. `degraded`: a cache of changed frames, that clips have
// beside their own; null: they have none. Errors: those of FeatureCache::get().
Result<std::vector<Clip>> clips_of(FeatureCache& cache, FeatureCache* degraded, const std::vector<std::string>& videos,
                                   const Note& note, std::stop_token stop);

struct Split {
  std::vector<Clip> train;
  std::vector<Clip> held_out;
};
// Videos nobody trains on: every eighth one, or, of fewer than eight, the last eighth of each.
Split hold_out(const std::vector<Clip>& clips);

// The clip watched at `fps`: the frames nearest to those moments, each once.
std::vector<std::int64_t> frames_at(const Clip& clip, double fps);
// Seconds from the frame before to each of `frames[first]` … `frames[first + count − 1]`, [count]; 0 for the very first.
at::Tensor gaps(const Clip& clip, std::span<const std::int64_t> frames, std::size_t first, std::size_t count);

// Tokens of some frames, [n][tokens][channels].
at::Tensor frame_tokens(const Features& features, std::span<const std::int64_t> frames);

// The fixed way from token channels to latent numbers: z-score of each channel, then the directions of greatest variance,
// scaled so that a latent number has variance 1 on average. Not whitened: what varies more stays larger.
struct TokenProjection {
  at::Tensor mean, scale;   // [channels]
  at::Tensor projection;    // [latent][channels], orthogonal rows of one length
  double kept = 0;          // share of the variance that is left
};
// From at most 20,000 frames, evenly spread.
TokenProjection fit_projection(const std::vector<Clip>& clips, int latent);

}  // namespace longtake
