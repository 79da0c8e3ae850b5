#include "app/studio/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace longtake {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

}  // namespace

void FrameTimes::clear() {
  kept_.clear();
  stride_ = 1;
  size_ = 0;
}

void FrameTimes::append(double t) {
  if (size_ % stride_ == 0) {
    if (kept_.size() == most_) {
      for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
      kept_.resize((kept_.size() + 1) / 2);
      stride_ *= 2;
    }
    if (size_ % stride_ == 0) kept_.push_back(t);
  }
  ++size_;
  last_ = t;
}

double FrameTimes::time_of(double frame) const {
  if (size_ == 0) return 0;
  const double a_frame = size_ > 1 ? (last_ - kept_.front()) / static_cast<double>(size_ - 1) : 0;
  const auto last_kept = static_cast<double>(static_cast<std::int64_t>(kept_.size() - 1) * stride_);
  if (frame <= 0) return kept_.front() + frame * a_frame;
  if (frame >= last_kept) {
    const double behind = static_cast<double>(size_ - 1) - last_kept;
    const double slope = behind > 0 ? (last_ - kept_.back()) / behind : a_frame;
    return kept_.back() + (frame - last_kept) * slope;
  }
  const double at = frame / static_cast<double>(stride_);
  const auto i = static_cast<std::size_t>(at);
  return kept_[i] + (at - static_cast<double>(i)) * (kept_[i + 1] - kept_[i]);
}

double FrameTimes::frame_at(double t) const {
  if (size_ == 0) return 0;
  const double a_frame = size_ > 1 ? (last_ - kept_.front()) / static_cast<double>(size_ - 1) : 0;
  if (a_frame <= 0) return 0;
  if (t <= kept_.front()) return (t - kept_.front()) / a_frame;
  const auto above = std::ranges::upper_bound(kept_, t);
  const auto i = static_cast<std::size_t>(above - kept_.begin()) - 1;
  const auto at = static_cast<double>(static_cast<std::int64_t>(i) * stride_);
  if (above == kept_.end()) {
    const double behind = static_cast<double>(size_ - 1) - at;
    const double slope = behind > 0 && last_ > kept_.back() ? behind / (last_ - kept_.back()) : 1 / a_frame;
    return at + (t - kept_.back()) * slope;
  }
  return at + (t - kept_[i]) / (kept_[i + 1] - kept_[i]) * static_cast<double>(stride_);
}

void Curves::begin(int layers) {
  times_.clear();
  surprise_.clear();
  novelty_.clear();
  layers_.resize(static_cast<std::size_t>(layers));
  for (LayerCurves& layer : layers_) {
    for (CurvePyramid* curve : {&layer.before, &layer.after, &layer.drift}) curve->clear();
  }
}

void Curves::add(const FrameRecord& frame) {
  times_.append(frame.t);
  surprise_.append(frame.surprise.value_or(kNone));
  novelty_.append(frame.novelty.value_or(kNone));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerLoss loss = i < frame.layers.size() ? frame.layers[i] : LayerLoss{kNone, kNone, kNone};
    layers_[i].before.append(loss.before);
    layers_[i].after.append(loss.after);
    layers_[i].drift.append(loss.drift);
  }
}

std::size_t Curves::bytes() const noexcept {
  std::size_t sum = times_.bytes() + surprise_.bytes() + novelty_.bytes();
  for (const LayerCurves& layer : layers_) sum += layer.before.bytes() + layer.after.bytes() + layer.drift.bytes();
  return sum;
}

}  // namespace longtake
