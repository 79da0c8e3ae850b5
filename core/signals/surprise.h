// Surprise: how far the next-latent error of a frame stands out from its own past, and how likely it is that this
// marks a boundary. No fixed threshold: the test asks how often the past itself would have produced such a value.
#pragma once

#include "core/signals/robust_scale.h"

namespace longtake {

// Note: The tail test
//
// Surprise z is the root mean square error in robust standard deviations of its own past (RobustScale). Real video has
// heavy tails, so "z above 8" would mean something else on every video. Clusters of frames above kTailStart are
// therefore taken to fall off exponentially in their height (peaks over threshold): a frame at x is expected
// ζ exp(-(x - kTailStart) / β) times a frame, with ζ the share of frames that start a cluster and β the mean excess of
// a cluster's highest frame. Both are running means of the video's own past that start from a prior. A frame's
// boundary probability is 1 / (1 + n), n = the number of such frames that this tail would produce in
// kReferenceSeconds. Clusters that were taken for boundaries do not enter β, and no cluster enters with more than
// three times β: boundaries do not teach the test to expect them.
//
// Why the root: over shots of very different liveliness the logarithm of the error hides cuts in its wide spread, and
// the error itself lets one lively second look like a cut.
class SurpriseTest {
 public:
  static constexpr double kTailStart = 2;
  static constexpr double kReferenceSeconds = 600;
  static constexpr double kShareSeconds = 120;   // memory of ζ
  static constexpr double kExcessClusters = 32;  // memory of β

  struct Verdict {
    float surprise = 0;
    float boundary = 0;
  };

  // `spacing`: seconds between the samples that its past is made of.
  explicit SurpriseTest(double spacing = RobustScale::kSpacing) : scale_(spacing) {}

  // `error`: mean squared next-latent error, in units of the latent variance, or whatever else is to be tested. `t`: seconds,
  // `dt`: since the last frame. Without `is_ordinary` the error does not become part of the past.
  Verdict judge(double error, double t, double dt, bool is_ordinary = true);

  template <class Archive>
  void archive(Archive& a) {
    a("scale", scale_);
    a("tail_share", tail_share_);
    a("tail_excess", tail_excess_);
    a("frame_seconds", frame_seconds_);
    a("cluster_excess", cluster_excess_);
    a("cluster_likely", cluster_likely_);
  }

 private:
  RobustScale scale_;
  double tail_share_ = 0.02;  // ζ
  double tail_excess_ = 1.0;  // β
  double frame_seconds_ = 0.04;
  double cluster_excess_ = 0;    // of the highest frame of the open cluster; 0: none is open
  bool cluster_likely_ = false;  // it holds a boundary
};

}  // namespace longtake
