#include "models/train/head_share.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/on_threads.h"
#include "models/train/next_latent.h"

namespace longtake {

std::vector<HeadShare> fit_head_shares(const StackNet& net, const std::vector<Clip>& clips, double fps, int threads) {
  const auto& seconds = net.config().horizons_s;
  struct Sums {
    double stack = 0, running_means = 0, added = 0, persistence = 0;
  };
  std::vector<std::vector<Sums>> of_clips(clips.size(), std::vector<Sums>(seconds.size()));
  on_threads(std::ssize(clips), threads, [&](const auto& next) {
    at::init_num_threads();
    for (std::int64_t i = next(); i >= 0; i = next()) {
      auto& sums = of_clips[static_cast<std::size_t>(i)];
      watch_clip(net, clips[static_cast<std::size_t>(i)], fps, [&](const WatchedFrame& frame) {
        for (std::size_t h = 0; h < sums.size(); ++h) {
          const HorizonError& error = frame.horizons[h];
          sums[h].stack += error.stack;
          sums[h].running_means += error.running_means;
          sums[h].added += error.added;
          sums[h].persistence += error.persistence;
        }
      });
    }
  });
  std::vector<HeadShare> out;
  for (std::size_t h = 0; h < seconds.size(); ++h) {
    Sums all;
    for (const auto& sums : of_clips) {
      all.stack += sums[h].stack, all.running_means += sums[h].running_means;
      all.added += sums[h].added, all.persistence += sums[h].persistence;
    }
    // With r what the running means leave: |r − s·head|² = |r|² − 2s ⟨r, head⟩ + s² |head|², of which s = 1 is known.
    const double agreement = (all.running_means + all.added - all.stack) / 2;
    const double share = all.added > 0 ? std::clamp(agreement / all.added, 0.0, 1.0) : 1;
    const double error = all.running_means - 2 * share * agreement + share * share * all.added;
    out.push_back({seconds[h], share, all.persistence > 0 ? error / all.persistence : NAN});
  }
  return out;
}

void take_head_shares(StackNet& net, const std::vector<HeadShare>& shares) {
  std::vector<float> factors;
  for (const HeadShare& one : shares) factors.push_back(static_cast<float>(one.share));
  const auto horizons = static_cast<std::int64_t>(shares.size());
  for (const char* name : {"head.weight", "head.bias"}) {
    at::Tensor& parameter = net.parameters().at(name);
    const at::Tensor factor = at::tensor(factors).to(parameter.scalar_type()).view({horizons, 1});
    parameter = (parameter.detach().view({horizons, -1}) * factor).view(parameter.sizes());
  }
}

}  // namespace longtake
