#include "models/train/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace longtake {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// By splitmix64 and mt19937_64 written down in Python; the latter's 10,000th number is the one the C++ standard gives.
TEST(Random, IsTheSameEverywhere) {
  const auto first = [](std::initializer_list<std::uint64_t> of) {
    Random random(of);
    const std::uint64_t one = random.bits();
    return std::vector{one, random.bits()};
  };
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(first({1}), (Numbers{0x884fa46695b1825b, 0xe487e49e27adbc38}));
  EXPECT_EQ(first({1, 2, 3}), (Numbers{0x5d7044ea71f2b5fc, 0x93b89771f457b0bd}));
  EXPECT_EQ(first({3, 2, 1}), (Numbers{0xa3a03b590e94f68d, 0x7a8ccc0ca7c020d3}));
  EXPECT_EQ(first({0}), (Numbers{0xe472a21d82b9e8c8, 0xec92536dba8be242}));
  EXPECT_EQ(first({kMost, 0x7363656e65000000}), (Numbers{0xee616c8a1f8bac58, 0x228c400340b8ab8f}));
  Random random{7, 1};
  EXPECT_EQ(random.uniform(), 0.37286407903438423);
  EXPECT_EQ(random.below(10), 9);
  EXPECT_NEAR(random.normal(), -0.24283025513911263, 1e-15);  // libraries may round a cosine differently
}

TEST(Random, StaysInItsRangeAndFillsIt) {
  Random random{5};
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) {
    const double u = random.uniform(-3, 2);
    ASSERT_TRUE(u >= -3 && u < 2) << u;
    const std::int64_t below = random.below(7);
    ASSERT_TRUE(below >= 0 && below < 7) << below;
    ++counts[static_cast<std::size_t>(below)];
  }
  // 5 σ of a binomial distribution
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(70000.0 / 7 * 6 / 7));
  EXPECT_EQ(random.below(1), 0);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1));
  }
}

TEST(Random, NormalNumbersAreNormal) {
  Random random{6};
  constexpr int kCount = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x, squares += x * x, fourth += x * x * x * x;
  }
  // 5 σ of each moment: variances of x, x² and x⁴ are 1, 2 and 96.
  EXPECT_NEAR(sum / kCount, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(fourth / kCount, 3, 5 * std::sqrt(96.0 / kCount));
}

}  // namespace
}  // namespace longtake
