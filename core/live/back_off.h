// How long to wait before a lost source is tried again: longer with every try that fails.
#pragma once

#include <cstdint>
#include <random>

namespace longtake {

// 1, 2, 4 … 30 s, each up to a fifth more or less, so that many programs do not come back to a camera at once. One thread.
class BackOff {
 public:
  explicit BackOff(std::uint64_t seed, double first_s = 1, double most_s = 30);

  double next_s();
  void succeeded() { next_ = first_; }

 private:
  static constexpr double kJitter = 0.2;

  std::mt19937_64 random_;
  double first_, most_, next_;
};

}  // namespace longtake
