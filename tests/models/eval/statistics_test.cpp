#include "models/eval/statistics.h"

#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "models/train/random.h"

namespace longtake {
namespace {

TEST(Median, OfOddAndEvenCounts) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_THROW(median({}), std::invalid_argument);
}

TEST(MeanAndError, OfOneToFour) {
  const std::vector<double> values{1, 2, 3, 4};
  const MeanAndError got = mean_and_error(values);
  EXPECT_EQ(got.mean, 2.5);
  EXPECT_NEAR(got.standard_error, std::sqrt(5.0 / 3 / 4), 1e-15);  // Σ(x − 2.5)² = 5
  EXPECT_TRUE(std::isnan(mean_and_error({}).mean));
}

// Of the six pairs (5, 3, 3 against 4, 3): 5 wins both, each 3 loses one and ties one.
TEST(Auroc, CountsPairsAndHalvesTies) {
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{5, 3, 3}, std::vector<double>{4, 3}), 3.0 / 6);
  EXPECT_EQ(auroc(std::vector<double>{2, 3}, std::vector<double>{0, 1}), 1);
  EXPECT_EQ(auroc(std::vector<double>{0}, std::vector<double>{1, 2}), 0);
  EXPECT_TRUE(std::isnan(auroc({}, std::vector<double>{1})));
}

// From the top 4+ 3- 2+ 2- 1-: recall rises to 1/2 at precision 1/1, then to 1 with both of the tie, at 2/4.
TEST(Ranking, TiesAreOneStepAndWeightsCountAsOften) {
  const Ranking ranking({{2, false, 0}, {4, true, 0}, {1, false, 1}, {3, false, 0}, {2, true, 1}, {NAN, true, 1}});
  const auto [auc, ap] = ranking.figures();
  EXPECT_DOUBLE_EQ(ap, 0.5 * 1 + 0.5 * 0.5);
  EXPECT_DOUBLE_EQ(auc, (3 + 1.5) / 6);  // 4 beats three; 2 loses to 3, ties with 2, beats 1
  // Group 1 twice: 4+ 3- 2++ 2- 1--. 4 beats four, each 2 beats two and ties with one; 1/3 · 1 + 2/3 · 3/5.
  const auto twice = ranking.figures(std::vector<double>{1, 2});
  EXPECT_DOUBLE_EQ(twice.auroc, (4 + 2 * 2.5) / (3 * 4));
  EXPECT_DOUBLE_EQ(twice.average_precision, 1.0 / 3 + 2.0 / 3 * 3 / 5);
  EXPECT_TRUE(std::isnan(ranking.figures(std::vector<double>{0, 0}).auroc));
}

// The mean of ten values, nine 0 and one 1, is the number of times that the 1 is drawn / 10: binomial, of 10 at 1/10. Its
// 2.5 % point is 0 (probability 0.35), its 97.5 % point 3 (probability of at most 2: 0.93, of at most 3: 0.987).
TEST(Bootstrap, OfABinomial) {
  const auto mean = [](std::span<const double> drawn) {
    return std::vector<double>{drawn[0] / 10, NAN, drawn[0] > 0 ? 1.0 : NAN};
  };
  const auto got = bootstrap(10, 0.95, 7, mean);
  EXPECT_EQ(got[0].low, 0);
  EXPECT_DOUBLE_EQ(got[0].high, 0.3);
  EXPECT_TRUE(std::isnan(got[1].low)) << "no draw gave a number";
  EXPECT_EQ(got[2].low, 1) << "draws that gave none are left out";
  EXPECT_EQ(got[2].high, 1);
  EXPECT_TRUE(std::isnan(bootstrap(1, 0.95, 7, mean)[0].high)) << "one group says nothing of others";
}

TEST(TheilSen, FindsALineExactly) {
  const std::vector<double> x{100, 300, 1000, 3000};
  std::vector<std::vector<double>> y;
  for (double offset : {0.0, 512.0, -64.0}) {  // a drift from round to round is none of the line's business
    y.emplace_back();
    for (const double at : x) y.back().push_back(0.25 * at + 8 + offset);
  }
  const Slope got = theil_sen(x, y);
  EXPECT_EQ(got.slope, 0.25);
  EXPECT_EQ(got.low, 0.25);
  EXPECT_EQ(got.high, 0.25);
}

// A point far off the line moves a least-squares line, but not the median of slopes.
TEST(TheilSen, IsNotMovedByAnOutlier) {
  const Slope got =
      theil_sen(std::vector<double>{0, 1, 2, 3, 4}, {{0, 2, 4, 6, 100}, {0, 2, 4, 6, 8}, {0, 2, 4, 6, 8}});
  EXPECT_EQ(got.slope, 2);
}

// Noise without a slope: the 99 % interval holds zero in all but a few of many repetitions.
TEST(TheilSen, TheIntervalHoldsZeroWhereThereIsNothing) {
  const std::vector<double> x{100, 300, 1000, 3000, 10000, 30000, 100000};
  constexpr int kTimes = 100;
  int missed = 0, found = 0;
  for (std::uint64_t time = 0; time < kTimes; ++time) {
    Random random{7, time};
    std::vector<std::vector<double>> flat, rising;
    for (int round = 0; round < 15; ++round) {
      const double drift = 50 * random.normal();
      flat.emplace_back();
      rising.emplace_back();
      for (const double at : x) {
        flat.back().push_back(1000 + drift + 10 * random.normal());
        rising.back().push_back(flat.back().back() + 1e-3 * at);
      }
    }
    const Slope nothing = theil_sen(x, flat), something = theil_sen(x, rising);
    if (!(nothing.low <= 0 && nothing.high >= 0)) ++missed;
    if (something.low > 0) ++found;
  }
  // With 1 % of misses expected, six or more of 100 have a probability of 5e-4. A bootstrap of 15 rounds runs a little
  // narrow, which the seed is fixed for.
  EXPECT_LE(missed, 5);
  EXPECT_GE(found, 99);
}

TEST(TheilSen, RefusesWhatHasNoSlope) {
  EXPECT_THROW(theil_sen(std::vector<double>{1}, {{1}}), std::invalid_argument);
  EXPECT_THROW(theil_sen(std::vector<double>{1, 1}, {{1, 2}}), std::invalid_argument);
  EXPECT_THROW(theil_sen(std::vector<double>{1, 2}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
