// How like a frame is to each landmark, so that the right one is nearest also for pictures that went through other hands.
//
// Note: What counts as alike
//   Frames are vectors of latent numbers, seen from where the landmarks' own mean lies, and their angle is what counts: a
//   picture that lost detail moves towards what all of them have in common, so that of its length little is left while its
//   direction stays. Differences as re-encoding, cropping and brightening make them count little: the angle is measured by
//   the inverse of their covariance over the latent numbers of a token (train/metric_fit.h), which is what the likelihood of
//   such a difference, were it normal, would have it be. By the plain mean squared difference, moments of a nearly dark video
//   are mistaken for one another.
//   The mean is of the landmarks and a frame of zeros, so that one landmark, or several equal ones, have a direction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/recall/landmarks.h"

namespace longtake {

// Of landmarks that stand still. Any thread.
class Likeness {
 public:
  // `metric` [latent][latent] symmetric, over the numbers of one token; empty: the identity.
  // Throws std::invalid_argument if tokens are not of that size.
  Likeness(const LandmarkState& landmarks, std::span<const float> metric);

  // [landmarks] cosines, −1 … 1; 0 where there is no direction. Throws std::invalid_argument if `latents` is of another size.
  std::vector<double> to_landmarks(std::span<const float> latents) const;

 private:
  std::vector<double> centred(std::span<const float> latents) const;
  std::vector<double> weighed(std::span<const double> frame) const;

  std::size_t latent_ = 0;
  std::vector<float> metric_;
  std::vector<double> mean_;        // [frame_numbers]
  std::vector<double> directions_;  // [landmarks][frame_numbers] weighed, of length 1 by the metric
};

}  // namespace longtake
