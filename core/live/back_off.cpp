#include "core/live/back_off.h"

#include <algorithm>
#include <utility>

namespace longtake {

BackOff::BackOff(std::uint64_t seed, double first_s, double most_s)
    : random_(seed), first_(first_s), most_(most_s), next_(first_s) {}

double BackOff::next_s() {
  const double even = std::exchange(next_, std::min(most_, 2 * next_));
  return even * std::uniform_real_distribution(1 - kJitter, 1 + kJitter)(random_);
}

}  // namespace longtake
