#include "models/shots/shot_head.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace longtake {
namespace {

constexpr std::size_t kTaps = ShotWeights::kTaps;
constexpr std::size_t kChannels = ShotWeights::kChannels;
constexpr std::size_t kSignals = ShotSignals::kCount;

// [out][in][tap] → [tap][in][out]
std::vector<float> by_tap(const std::vector<float>& from, std::size_t out, std::size_t in) {
  std::vector<float> to(from.size());
  const std::size_t taps = from.size() / (out * in);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t t = 0; t < taps; ++t) to[(t * in + i) * out + o] = from[(o * in + i) * taps + t];
    }
  }
  return to;
}

// relu(bias + Σ over the taps), the oldest of them first; `ring` [kTaps][in], the newest at `newest` % kTaps.
void convolve(std::span<const float> ring, std::size_t in, std::int64_t newest, std::span<const float> weights,
              std::span<const float, kChannels> bias, std::span<float> out) {
  std::array<float, kChannels> sum{};
  std::copy(bias.begin(), bias.end(), sum.begin());
  for (std::size_t tap = 0; tap < kTaps; ++tap) {
    const auto place = static_cast<std::size_t>((newest + 1 + std::int64_t(tap)) % std::int64_t(kTaps));
    for (std::size_t i = 0; i < in; ++i) {
      const float value = ring[place * in + i];
      const float* const w = &weights[(tap * in + i) * kChannels];
      for (std::size_t o = 0; o < kChannels; ++o) sum[o] += value * w[o];
    }
  }
  for (std::size_t o = 0; o < kChannels; ++o) out[o] = std::max(0.0F, sum[o]);
}

}  // namespace

std::vector<ShotTensor> shot_tensors() {
  constexpr std::int64_t kIn = ShotSignals::kCount, kOut = ShotWeights::kChannels, kTap = ShotWeights::kTaps;
  return {{"signals.mean", {kIn}},         {"signals.scale", {kIn}},
          {"first.weight", {kOut, kIn, kTap}}, {"first.bias", {kOut}},
          {"second.weight", {kOut, kOut, kTap}}, {"second.bias", {kOut}},
          {"last.weight", {ShotWeights::kOutputs, kOut, 1}}, {"last.bias", {ShotWeights::kOutputs}}};
}

Result<ShotWeights> load_shots(const TensorFile& file) {
  std::vector<std::vector<float>> parts;
  for (const ShotTensor& wanted : shot_tensors()) {
    auto part = file.floats(wanted.name, wanted.shape);
    if (!part) return std::move(part).error();
    if (!std::all_of(part->begin(), part->end(), [](float x) { return std::isfinite(x); })) {
      return Error{ErrorKind::kModel, fmt::format("cannot use the shot head: \"{}\" is not finite", wanted.name)};
    }
    parts.push_back(std::move(*part));
  }
  ShotWeights out;
  const auto copy = [](const std::vector<float>& from, auto& to) { std::copy(from.begin(), from.end(), to.begin()); };
  copy(parts[0], out.mean);
  copy(parts[1], out.scale);
  out.first = by_tap(parts[2], kChannels, kSignals);
  copy(parts[3], out.first_bias);
  out.second = by_tap(parts[4], kChannels, kChannels);
  copy(parts[5], out.second_bias);
  out.last = by_tap(parts[6], ShotWeights::kOutputs, kChannels);
  copy(parts[7], out.last_bias);
  return out;
}

ShotHead::Logits ShotHead::push(const ShotSignals::Values& signals) {
  const std::int64_t now = pushes_++;
  const auto place = static_cast<std::size_t>(now % std::int64_t(kTaps));
  for (std::size_t i = 0; i < kSignals; ++i) {
    // A signal that never varied says nothing.
    const float z = (signals[i] - weights_->mean[i]) / std::max(weights_->scale[i], 1e-3F);
    inputs_[place * kSignals + i] = std::clamp(z, -kMostShotSignal, kMostShotSignal);
  }
  convolve(inputs_, kSignals, now, weights_->first, weights_->first_bias, std::span(hidden_).subspan(place * kChannels, kChannels));
  std::array<float, kChannels> second{};
  convolve(hidden_, kChannels, now, weights_->second, weights_->second_bias, second);
  std::array<float, ShotWeights::kOutputs> out = weights_->last_bias;
  for (std::size_t i = 0; i < kChannels; ++i) {
    for (std::size_t o = 0; o < out.size(); ++o) out[o] += second[i] * weights_->last[i * out.size() + o];
  }
  return {out[0], out[1]};
}

std::optional<ShotHead::Logits> ShotHead::step(const ShotSignals::Values& signals) {
  if (count_ == 0) {
    for (int i = 0; i < 2 * kShotDelay; ++i) push(signals);
  }
  const Logits logits = push(signals);
  if (count_++ < kShotDelay) return std::nullopt;
  return logits;
}

std::vector<ShotHead::Logits> ShotHead::flush(const ShotSignals::Values& still) {
  std::vector<Logits> out;
  for (std::int64_t i = 0; i < kShotDelay; ++i) {
    const Logits logits = push(still);
    if (i >= kShotDelay - count_) out.push_back(logits);
  }
  count_ = 0;
  pushes_ = 0;
  return out;
}

}  // namespace longtake
