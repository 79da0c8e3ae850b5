// Surprise: how far the next-latent error of a frame stands out from its own past, and how likely it is that this
// marks a boundary. No fixed threshold: the test asks how often the past itself would have produced such a value.
#pragma once

#include "core/signals/robust_scale.h"

namespace longtake {

// Note: The tail test
//
// Surprise z is the logarithm of the error in robust standard deviations (RobustScale). Real video has heavy tails, so
// "z above 5" would mean something else on every video. Values above kTailStart are therefore taken to fall off
// exponentially (peaks over threshold): P(z > x) = ζ exp(-(x - kTailStart) / β), with ζ the share of frames up there
// and β their mean excess, both running means of the video's own past that start from a prior. A frame's boundary
// probability is 1 / (1 + n), n = the number of such frames that this tail would produce in an hour. Frames that are
// taken for boundaries do not enter ζ and β, and no frame enters with more than three times β: boundaries do not
// teach the test to expect them.
class SurpriseTest {
 public:
  static constexpr double kTailStart = 2;
  static constexpr double kMemorySeconds = 60;   // of the running means ζ and β
  static constexpr double kErrorFloor = 1e-3;    // errors below this share of the latent variance are noise

  struct Verdict {
    float surprise = 0;
    float boundary = 0;
  };

  // `error`: mean squared next-latent error, in units of the latent variance. `t`: seconds, `dt`: since the last frame.
  Verdict judge(double error, double t, double dt);

  template <class Archive>
  void archive(Archive& a) {
    a("scale", scale_);
    a("tail_share", tail_share_);
    a("tail_excess", tail_excess_);
    a("frame_seconds", frame_seconds_);
  }

 private:
  RobustScale scale_;
  double tail_share_ = 0.02;
  double tail_excess_ = 1.0;
  double frame_seconds_ = 0.04;
};

}  // namespace longtake
