#include "models/train/metric_fit.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "models/train/random.h"

namespace longtake {
namespace {

constexpr std::size_t kLatent = 3;
constexpr std::size_t kTokens = 16;

// Frames whose tokens change by A times what is normal.
MetricFit fitted(const std::vector<double>& a, double scale, int frames) {
  MetricFit fit(kLatent);
  Random random{9};
  for (int frame = 0; frame < frames; ++frame) {
    std::vector<float> own(kTokens * kLatent), shown;
    for (float& number : own) number = static_cast<float>(10 * random.normal());
    shown = own;
    for (std::size_t token = 0; token < own.size(); token += kLatent) {
      for (std::size_t j = 0; j < kLatent; ++j) {
        const double normal = random.normal();
        for (std::size_t i = 0; i < kLatent; ++i) shown[token + i] += static_cast<float>(scale * a[i * kLatent + j] * normal);
      }
    }
    fit.add(own, shown);
  }
  return fit;
}

// Times the covariance with its floor, in units of the mean variance, the metric is the identity.
TEST(MetricFit, IsTheInverseOfWhatChangesWhateverItsUnit) {
  const std::vector<double> a{2, 0, 0, 1, 0.5, 0, 0, -0.5, 0.1};
  std::vector<double> covariance(kLatent * kLatent);
  double mean = 0;
  for (std::size_t i = 0; i < kLatent; ++i) {
    for (std::size_t j = 0; j < kLatent; ++j) {
      for (std::size_t k = 0; k < kLatent; ++k) covariance[i * kLatent + j] += a[i * kLatent + k] * a[j * kLatent + k];
    }
    mean += covariance[i * (kLatent + 1)] / kLatent;
  }
  for (std::size_t i = 0; i < covariance.size(); ++i) covariance[i] = covariance[i] / mean + (i % (kLatent + 1) == 0 ? 0.1 : 0);
  for (const double scale : {0.01, 1.0}) {
    const auto metric = fitted(a, scale, 2000).metric();
    for (std::size_t i = 0; i < kLatent; ++i) {
      for (std::size_t j = 0; j < kLatent; ++j) {
        double product = 0;
        for (std::size_t k = 0; k < kLatent; ++k) {
          product += static_cast<double>(metric[i * kLatent + k]) * covariance[k * kLatent + j];
        }
        EXPECT_NEAR(product, i == j ? 1 : 0, 0.1) << i << ", " << j;  // 32,000 tokens know variances to a hundredth
        EXPECT_EQ(metric[i * kLatent + j], metric[j * kLatent + i]);
      }
    }
  }
}

TEST(MetricFit, NothingChangedIsTheIdentitysMultiple) {
  MetricFit fit(2);
  const std::vector<float> x{1, 2, 3, 4};
  fit.add(x, x);
  const auto metric = fit.metric();
  EXPECT_GT(metric[0], 0);
  EXPECT_EQ(metric, (std::vector<float>{metric[0], 0, 0, metric[0]}));
}

TEST(MetricFit, RefusesOtherSizes) {
  MetricFit fit(3);
  EXPECT_THROW(fit.add(std::vector<float>(6), std::vector<float>(9)), std::invalid_argument);
  EXPECT_THROW(fit.add(std::vector<float>(7), std::vector<float>(7)), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
