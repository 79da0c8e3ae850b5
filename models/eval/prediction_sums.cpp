#include "models/eval/prediction_sums.h"

#include <bit>
#include <cmath>

namespace longtake {

void PredictionSums::Sum::add(const Sum& other) {
  stack += other.stack;
  running_means += other.running_means;
  persistence += other.persistence;
  count += other.count;
}

void PredictionSums::add(const WatchedFrame& frame) {
  ++frames_;
  const auto bucket = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(frame.seen)));
  if (frame.seen == bucket) ++clips_[bucket];
  auto& sums = context_[bucket];
  sums.resize(all_.size());
  for (std::size_t h = 0; h < all_.size(); ++h) {
    const HorizonError& error = frame.horizons[h];
    if (!error.known) continue;
    const Sum one{error.stack, error.running_means, error.persistence, 1};
    all_[h].add(one);
    sums[h].add(one);
  }
}

void PredictionSums::add(const PredictionSums& other) {
  frames_ += other.frames_;
  for (std::size_t h = 0; h < all_.size(); ++h) all_[h].add(other.all_[h]);
  for (const auto& [bucket, theirs] : other.context_) {
    auto& sums = context_[bucket];
    sums.resize(all_.size());
    for (std::size_t h = 0; h < all_.size(); ++h) sums[h].add(theirs[h]);
  }
  for (const auto& [bucket, clips] : other.clips_) clips_[bucket] += clips;
}

std::vector<PredictionSums::Errors> PredictionSums::by_horizon() const {
  std::vector<Errors> out;
  for (const Sum& sum : all_) {
    const double n = sum.count > 0 ? static_cast<double>(sum.count) : NAN;
    out.push_back({sum.stack / n, sum.running_means / n, sum.persistence / n});
  }
  return out;
}

std::map<std::int64_t, PredictionSums::Bucket> PredictionSums::by_context() const {
  std::map<std::int64_t, Bucket> out;
  for (const auto& [frames, sums] : context_) {
    Errors ratio;
    double horizons = 0;
    for (const Sum& sum : sums) {
      if (!(sum.persistence > 0)) continue;
      ratio.stack += sum.stack / sum.persistence;
      ratio.running_means += sum.running_means / sum.persistence;
      ++horizons;
    }
    if (horizons == 0) continue;
    out[frames] = {clips_.at(frames), {ratio.stack / horizons, ratio.running_means / horizons, 1}};
  }
  return out;
}

}  // namespace longtake
