// Observations made up for tests.
#pragma once

#include <random>
#include <vector>

#include "core/signals/observation.h"

namespace longtake {

inline constexpr double kFrameSeconds = 0.04;

inline Observation observation(std::int64_t frame, double error) {
  Observation out;
  out.frame = frame;
  out.pts = frame * 3600;
  out.t = static_cast<double>(frame) * kFrameSeconds;
  out.dt = frame == 0 ? 0 : kFrameSeconds;
  if (frame > 0) out.next_latent_error = error;
  out.layers = {{1.0F, 0.5F, 0.01F}};
  out.probabilities.assign(1000, 0.001F);
  out.probabilities[static_cast<std::size_t>(frame / 50 % 1000)] = 0.5F;
  for (std::size_t i = 0; i < out.thumbnail.size(); ++i) {
    out.thumbnail[i] = static_cast<std::uint8_t>(100 + (frame * 7 + static_cast<std::int64_t>(i)) % 50);
  }
  return out;
}

// Errors as ordinary video gives them: log-normal, slowly drifting.
class OrdinaryErrors {
 public:
  explicit OrdinaryErrors(unsigned seed, double sigma = 0.4) : engine_(seed), normal_(0, sigma) {}
  double operator()() {
    drift_ += 0.002 * normal_(engine_) - 0.0005 * drift_;
    return 0.02 * std::exp(drift_ + normal_(engine_));
  }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
  double drift_ = 0;
};

}  // namespace longtake
