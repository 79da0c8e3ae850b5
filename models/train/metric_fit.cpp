#include "models/train/metric_fit.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <ATen/ATen.h>

namespace longtake {
namespace {

constexpr double kFloor = 0.1;            // of the mean variance
constexpr double kLeastVariance = 1e-12;  // can be divided by

}  // namespace

void MetricFit::add(std::span<const float> own, std::span<const float> shown) {
  if (own.size() != shown.size() || own.size() % latent_ != 0) {
    throw std::invalid_argument("MetricFit: frames of different sizes, or not of whole tokens");
  }
  std::vector<double> change(latent_);
  for (std::size_t token = 0; token < own.size(); token += latent_) {
    for (std::size_t i = 0; i < latent_; ++i) {
      change[i] = static_cast<double>(shown[token + i]) - static_cast<double>(own[token + i]);
    }
    for (std::size_t i = 0; i < latent_; ++i) {
      for (std::size_t j = i; j < latent_; ++j) sums_[i * latent_ + j] += change[i] * change[j];
    }
  }
}

std::vector<float> MetricFit::metric() const {
  double mean = 0;
  for (std::size_t i = 0; i < latent_; ++i) mean += sums_[i * (latent_ + 1)] / static_cast<double>(latent_);
  const auto size = static_cast<std::int64_t>(latent_);
  const at::Tensor covariance = at::zeros({size, size}, at::kDouble);
  double* out = covariance.data_ptr<double>();
  for (std::size_t i = 0; i < latent_; ++i) {
    for (std::size_t j = i; j < latent_; ++j) {
      const double unit = sums_[i * latent_ + j] / std::max(mean, kLeastVariance);
      out[i * latent_ + j] = out[j * latent_ + i] = unit + (i == j ? kFloor : 0);
    }
  }
  at::Tensor inverse = at::linalg_inv(covariance);
  inverse = (0.5 * (inverse + inverse.t())).to(at::kFloat).contiguous();
  return {inverse.data_ptr<float>(), inverse.data_ptr<float>() + inverse.numel()};
}

}  // namespace longtake
