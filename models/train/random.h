// Random numbers that are a function of what they are for: a seed and a few counters, such as the step and the row. A
// training that goes on from a checkpoint needs no generator's state, and they are the same with every library.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <random>

namespace longtake {

class Random {
 public:
  explicit Random(std::initializer_list<std::uint64_t> of) {
    std::uint64_t mixed = 0;
    for (const std::uint64_t part : of) mixed = scramble(mixed + part + 0x9E3779B97F4A7C15ULL);
    engine_.seed(mixed);
  }

  std::uint64_t bits() { return engine_(); }
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }  // [0, 1)
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  // 0 … count − 1
  std::int64_t below(std::int64_t count) { return static_cast<std::int64_t>(uniform() * static_cast<double>(count)); }
  // Box and Muller's; std::normal_distribution is free to differ between libraries.
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  // The finaliser of splitmix64: neighbouring numbers become unrelated ones.
  static std::uint64_t scramble(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31U);
  }

  std::mt19937_64 engine_;
};

}  // namespace longtake
