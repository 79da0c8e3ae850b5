// How long things took, as a distribution of fixed size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace longtake {

// Buckets that are a twentieth wider one than the other, from 0.1 ms to five minutes; what is outside counts as the outermost. So a
// quantile is off by 5 % at most. One thread at a time.
class Latency {
 public:
  void add(double seconds);
  std::int64_t count() const { return count_; }
  double sum_s() const { return sum_; }
  // The upper edge of the bucket in which the q-th part (0 … 1) of all lies. 0 where there are none.
  double quantile_s(double q) const;

 private:
  static constexpr std::size_t kBuckets = 306;
  static double edge(std::size_t bucket);

  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace longtake
