// Adds up the errors of watched frames into curves.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "models/train/next_latent.h"

namespace longtake {

class PredictionSums {
 public:
  explicit PredictionSums(std::size_t horizons) : all_(horizons) {}

  // Frames of a clip in their order; a clip begins with seen = 1.
  void add(const WatchedFrame& frame);
  // Sums of other clips, of as many horizons.
  void add(const PredictionSums& other);

  struct Errors {
    double stack = 0;
    double running_means = 0;
    double persistence = 0;
  };
  // Per horizon, mean over all frames that have a target; NaN if none has.
  std::vector<Errors> by_horizon() const;

  struct Bucket {
    std::int64_t clips = 0;  // that reach so far
    Errors ratio;            // to persistence on the same frames, mean over horizons
  };
  // By the number of frames seen, from 1, 2, 4, …: so many or more, and fewer than twice as many. A bucket in which
  // persistence makes no error says nothing and is left out.
  std::map<std::int64_t, Bucket> by_context() const;

  std::int64_t frames() const { return frames_; }

 private:
  struct Sum {
    double stack = 0, running_means = 0, persistence = 0;
    std::int64_t count = 0;
    void add(const Sum& other);
  };
  std::vector<Sum> all_;                              // per horizon
  std::map<std::int64_t, std::vector<Sum>> context_;  // likewise
  std::map<std::int64_t, std::int64_t> clips_;
  std::int64_t frames_ = 0;
};

}  // namespace longtake
