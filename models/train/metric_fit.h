// The metric of likeness.h, from frames and what degrading makes of them.
//
// It is the inverse covariance, over the latent numbers of a token, of what changes, in units of the mean variance. A tenth of
// that is added to each variance: what degrading leaves as it is in the few rooms of a fit may change elsewhere.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace longtake {

class MetricFit {
 public:
  // `latent`: numbers of a token.
  explicit MetricFit(std::size_t latent) : latent_(latent), sums_(latent * latent) {}

  // One frame, [tokens][latent], before and after. Throws std::invalid_argument if their sizes differ or are no tokens.
  void add(std::span<const float> own, std::span<const float> shown);
  // [latent][latent] symmetric; a multiple of the identity where nothing changed.
  std::vector<float> metric() const;

 private:
  std::size_t latent_;
  std::vector<double> sums_;  // [latent][latent] of products, the upper triangle
};

}  // namespace longtake
