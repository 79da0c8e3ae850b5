#include "app/studio/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace longtake {
namespace {

// Gaps do not overlap and stand in their order, so the first one that ends behind `t` is the only one that can hold it.
auto gap_ending_after(const std::vector<Findings::Gap>& gaps, double t) {
  return std::ranges::upper_bound(gaps, t, {}, &Findings::Gap::to);
}

bool gap_between(const std::vector<Findings::Gap>& gaps, double before, double after) {
  const auto gap = gap_ending_after(gaps, before);
  return gap != gaps.end() && gap->to <= after + 1e-6;
}

// A mean that forgets, fed with stretches of frames.
class Mean {
 public:
  explicit Mean(double seconds) : seconds_(seconds) {}

  void pass(double dt) {
    const double stays = std::exp(-std::max(0.0, dt) / seconds_);
    sum_ *= stays;
    weight_ *= stays;
  }
  // `frames` of them, `dt` apart, the last of them now.
  void add(double value, double frames, double dt) {
    const double stays = std::exp(-dt / seconds_);
    const double weight = stays < 1 ? (1 - std::pow(stays, frames)) / (1 - stays) : frames;
    sum_ += value * weight;
    weight_ += weight;
  }
  float value() const {
    return weight_ > 1e-12 ? static_cast<float>(sum_ / weight_) : std::numeric_limits<float>::quiet_NaN();
  }

 private:
  double seconds_, sum_ = 0, weight_ = 0;
};

}  // namespace

Samples samples_between(const Findings& findings, double from, double to, int columns) {
  const FrameTimes& times = findings.curves().times();
  const auto& gaps = findings.gaps();
  Samples out;
  const auto frames = static_cast<double>(times.size());
  if (frames == 0 || to <= from || columns <= 0) return out;
  const double first = std::clamp(std::floor(times.frame_at(from)), 0.0, frames - 1);
  const double last = std::clamp(std::ceil(times.frame_at(to)), 0.0, frames - 1);
  if (last - first <= columns) {
    out.grain = Grain::kFrames;
    out.all.reserve(static_cast<std::size_t>(last - first) + 1);
    for (double frame = first; frame <= last; ++frame) {
      const double t = times.time_of(frame);
      const bool joined = !out.all.empty() && !gap_between(gaps, out.all.back().t, t);
      out.all.push_back({t, frame, 1, joined});
    }
    return out;
  }
  const double width = (to - from) / columns;
  double begin = times.frame_at(from);
  bool joined = false;
  for (int x = 0; x < columns; ++x) {
    const double left = from + x * width, right = left + width;
    const double end = times.frame_at(right);
    const auto gap = gap_ending_after(gaps, left);
    const bool hole = gap != gaps.end() && gap->from <= left && gap->to >= right;
    const double low = std::max(begin, 0.0), high = std::min(end, frames);
    if (!hole && high > low) {
      out.all.push_back({left + width / 2, low, high - low, joined});
      joined = true;
    } else {
      joined = false;
    }
    begin = end;
  }
  return out;
}

std::vector<CurvePyramid::Extent> extents(const CurvePyramid& curve, const std::vector<Sample>& samples) {
  std::vector<CurvePyramid::Extent> out(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i)
    curve.envelope(samples[i].first, samples[i].step, std::span(&out[i], 1));
  return out;
}

std::vector<float> running_mean(const Findings& findings, const CurvePyramid& curve, const std::vector<Sample>& samples,
                                double seconds) {
  constexpr double kBack = 8;         // what is so many times as old as `seconds` weighs less than a thousandth
  constexpr double kStepsBack = 200;  // at most, on the way from there to the first sample
  std::vector<float> out(samples.size(), std::numeric_limits<float>::quiet_NaN());
  const FrameTimes& times = findings.curves().times();
  if (samples.empty() || times.size() == 0) return out;
  Mean mean(seconds);
  double before = 0;  // time of what came last
  const auto add = [&](double first, double step) {
    const double last = std::max(first, first + step - 1);
    const double t = times.time_of(last);
    const double dt = step > 1 ? (t - times.time_of(first)) / (step - 1) : 0;
    CurvePyramid::Extent extent;
    curve.envelope(first, step, std::span(&extent, 1));
    mean.pass(t - before);
    if (!extent.empty()) mean.add(static_cast<double>(extent.mean), std::max(1.0, step), dt);
    before = t;
  };
  const double start = samples.front().first;
  const double back = std::max(0.0, std::floor(times.frame_at(times.time_of(start) - kBack * seconds)));
  const double step = std::max(1.0, std::ceil((start - back) / kStepsBack));
  before = times.time_of(back);
  for (double frame = back; frame < start; frame += step) add(frame, std::min(step, start - frame));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    add(samples[i].first, samples[i].step);
    out[i] = mean.value();
  }
  return out;
}

std::optional<Sample> sample_at(const Findings& findings, double t) {
  const FrameTimes& times = findings.curves().times();
  if (times.size() == 0) return std::nullopt;
  const auto gap = gap_ending_after(findings.gaps(), t);
  if (gap != findings.gaps().end() && gap->from < t && t < gap->to - 1e-6) return std::nullopt;
  // A hair more, so that a frame's own time is not taken for that of the one before it.
  const double frame = std::floor(times.frame_at(t) + 1e-3);
  if (frame < 0 || frame >= static_cast<double>(times.size())) return std::nullopt;
  return Sample{times.time_of(frame), frame, 1, false};
}

}  // namespace longtake
