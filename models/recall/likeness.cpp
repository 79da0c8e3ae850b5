#include "models/recall/likeness.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace longtake {
namespace {

// What is left of a direction by rounding alone is none.
constexpr double kLeastLength = 1e-6;

double dot_of(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

Likeness::Likeness(const LandmarkState& landmarks, std::span<const float> metric)
    : metric_(metric.begin(), metric.end()), mean_(landmarks.latents.size() / kLandmarks) {
  latent_ = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(metric.size()))));
  if (latent_ * latent_ != metric.size() || (latent_ > 0 && mean_.size() % latent_ != 0)) {
    throw std::invalid_argument("Likeness: a metric of another size than tokens");
  }
  for (std::int64_t i = 0; i < landmarks.count; ++i) {
    const auto one = landmark(landmarks, i).latents;
    for (std::size_t j = 0; j < one.size(); ++j) mean_[j] += static_cast<double>(one[j]);
  }
  for (double& number : mean_) number /= static_cast<double>(landmarks.count + 1);
  for (std::int64_t i = 0; i < landmarks.count; ++i) {
    const auto frame = centred(landmark(landmarks, i).latents);
    const auto direction = weighed(frame);
    const double length = std::sqrt(std::max(0.0, dot_of(frame, direction)));
    for (const double number : direction) directions_.push_back(length > kLeastLength ? number / length : 0);
  }
}

std::vector<double> Likeness::to_landmarks(std::span<const float> latents) const {
  if (latents.size() != mean_.size())
    throw std::invalid_argument("Likeness: latents of another size than the landmarks'");
  const auto frame = centred(latents);
  const double length = std::sqrt(std::max(0.0, dot_of(frame, weighed(frame))));
  std::vector<double> out(directions_.size() / mean_.size());
  for (std::size_t i = 0; i < out.size() && length > kLeastLength; ++i) {
    out[i] = dot_of(frame, std::span(directions_).subspan(i * frame.size(), frame.size())) / length;
  }
  return out;
}

std::vector<double> Likeness::centred(std::span<const float> latents) const {
  std::vector<double> out(latents.begin(), latents.end());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= mean_[i];
  return out;
}

std::vector<double> Likeness::weighed(std::span<const double> frame) const {
  if (metric_.empty()) return {frame.begin(), frame.end()};
  std::vector<double> out(frame.size());
  for (std::size_t token = 0; token < frame.size(); token += latent_) {
    for (std::size_t i = 0; i < latent_; ++i) {
      const float* row = &metric_[i * latent_];
      for (std::size_t j = 0; j < latent_; ++j) out[token + j] += frame[token + i] * static_cast<double>(row[j]);
    }
  }
  return out;
}

}  // namespace longtake
