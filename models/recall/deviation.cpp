#include "models/recall/deviation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace longtake {
namespace {

// Frames nearer in time show the same moment: of them a part is never far.
constexpr double kSameMoment = 1.0;
// No scale is finer than this, in units of the latent numbers, whose variance is 1; nor than a share of its centre.
constexpr double kLeastSpread = 0.02;
constexpr double kLeastShare = 0.08;
constexpr double kMadToSigma = 1.4826;
constexpr double kFar = std::numeric_limits<double>::infinity();

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double part_distance(std::span<const float> a, std::span<const float> b) { return std::sqrt(frame_distance(a, b)); }

}  // namespace

UsualParts::UsualParts(const LandmarkState& landmarks, const SampleState& samples)
    : numbers_(samples.latents.size() / kSamples / kRecallTokens) {
  if (landmarks.latents.size() / kLandmarks != samples.latents.size() / kSamples) {
    throw std::invalid_argument("UsualParts: landmarks and samples are of frames of different sizes");
  }
  std::vector<double> at;
  const auto keep = [&](std::span<const float> frame, double when) {
    frames_.emplace_back(frame.begin(), frame.end());
    at.push_back(when);
  };
  for (std::int64_t i = 0; i < samples.count(); ++i) keep(samples.sample(i), samples.at[static_cast<std::size_t>(i)]);
  const std::size_t sampled = frames_.size();
  for (std::int64_t i = 0; i < landmarks.count; ++i) {
    const Landmark one = landmark(landmarks, i);
    keep(one.latents, one.at);
  }
  for (std::size_t part = 0; part < kRecallTokens; ++part) {
    const auto of = [&](std::size_t frame) { return std::span(frames_[frame]).subspan(part * numbers_, numbers_); };
    std::vector<double> usual;
    for (std::size_t i = 0; i < sampled; ++i) {
      double nearest = kFar;
      for (std::size_t j = 0; j < frames_.size(); ++j) {
        if (std::abs(at[i] - at[j]) >= kSameMoment) nearest = std::min(nearest, part_distance(of(i), of(j)));
      }
      if (nearest < kFar) usual.push_back(nearest);
    }
    if (!usual.empty()) {
      const double centre = median(usual);
      usual_[part].centre = centre;
      for (double& value : usual) value = std::abs(value - centre);
      usual_[part].spread = kMadToSigma * median(std::move(usual));
    }
    usual_[part].spread = std::max(usual_[part].spread, kLeastShare * usual_[part].centre + kLeastSpread);
  }
}

std::array<float, kRecallTokens> UsualParts::deviations(std::span<const float> latents) const {
  if (latents.size() != numbers_ * kRecallTokens) {
    throw std::invalid_argument("UsualParts: latents of another size than those that were kept");
  }
  std::array<float, kRecallTokens> out{};
  for (std::size_t part = 0; part < kRecallTokens && !frames_.empty(); ++part) {
    const auto here = latents.subspan(part * numbers_, numbers_);
    double nearest = kFar;
    for (const auto& frame : frames_) {
      nearest = std::min(nearest, part_distance(here, std::span(frame).subspan(part * numbers_, numbers_)));
    }
    out[part] = static_cast<float>((nearest - usual_[part].centre) / usual_[part].spread);
  }
  return out;
}

}  // namespace longtake
