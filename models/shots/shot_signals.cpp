#include "models/shots/shot_signals.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>

#include "core/store/half.h"

namespace longtake {
namespace {

constexpr std::size_t kTokenNumbers = Encoder::kTokens * Encoder::kTokenChannels;
constexpr float kLeast = 1e-3F;  // changes below it are noise
constexpr int kColours = 64;     // 4 x 4 x 4

// As half_to_float() for what is finite, without its branches: here it is most of the work.
void widen(const std::uint8_t* halves, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, halves + 2 * i, sizeof half);
    const float size = std::bit_cast<float>(static_cast<std::uint32_t>(half & 0x7FFFU) << 13U) * 0x1p112F;
    out[i] = (half & 0x8000U) != 0 ? -size : size;
  }
}

struct Products {
  float aa = 0, bb = 0, ab = 0;
};
Products products(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> aa{}, bb{}, ab{};
  for (std::size_t i = 0; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float x = a[i + lane], y = b[i + lane];
      aa[lane] += x * x;
      bb[lane] += y * y;
      ab[lane] += x * y;
    }
  }
  Products out;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    out.aa += aa[lane];
    out.bb += bb[lane];
    out.ab += ab[lane];
  }
  return out;
}
static_assert(Encoder::kTokenChannels % 8 == 0 && Encoder::kEmbedding % 8 == 0);

std::array<int, kColours> colours_of(std::span<const std::uint8_t> thumbnail) {
  std::array<int, kColours> out{};
  for (std::size_t i = 0; i < thumbnail.size(); i += 3) {
    ++out[static_cast<std::size_t>((thumbnail[i] >> 6) * 16 + (thumbnail[i + 1] >> 6) * 4 + (thumbnail[i + 2] >> 6))];
  }
  return out;
}

// Each from 0, nothing, to about 1.
using Changes = std::array<float, ShotSignals::kKinds>;

Changes changes(std::span<const float> now, std::span<const float> then, std::span<const std::uint8_t> picture_now,
                std::span<const std::uint8_t> picture_then) {
  Changes out{};
  std::array<float, Encoder::kTokens> tokens{};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t first = i * Encoder::kTokenChannels;
    const Products p = products(now.subspan(first, Encoder::kTokenChannels), then.subspan(first, Encoder::kTokenChannels));
    tokens[i] = std::max(0.0F, p.aa + p.bb - 2 * p.ab) / (p.aa + p.bb + 1e-6F);
    out[0] += tokens[i] / static_cast<float>(tokens.size());
  }
  std::nth_element(tokens.begin(), tokens.begin() + tokens.size() / 2, tokens.end());
  out[1] = tokens[tokens.size() / 2];
  const Products whole = products(now.subspan(kTokenNumbers), then.subspan(kTokenNumbers));
  out[2] = std::max(0.0F, 1 - whole.ab / (std::sqrt(whole.aa * whole.bb) + 1e-6F));
  int apart = 0;
  for (std::size_t i = 0; i < picture_now.size(); ++i) apart += std::abs(int(picture_now[i]) - int(picture_then[i]));
  out[3] = static_cast<float>(apart) / (255.0F * static_cast<float>(picture_now.size()));
  const auto colours_now = colours_of(picture_now), colours_then = colours_of(picture_then);
  int moved = 0;
  for (std::size_t i = 0; i < colours_now.size(); ++i) moved += std::abs(colours_now[i] - colours_then[i]);
  out[4] = static_cast<float>(moved) / (2.0F * static_cast<float>(picture_now.size() / 3));
  return out;
}

std::array<float, 2> brightness_of(std::span<const std::uint8_t> thumbnail) {
  double sum = 0, squares = 0;
  for (const std::uint8_t level : thumbnail) {
    sum += level;
    squares += double(level) * level;
  }
  const auto n = static_cast<double>(thumbnail.size());
  const double mean = sum / n;
  return {static_cast<float>(mean / 255), static_cast<float>(std::sqrt(std::max(0.0, squares / n - mean * mean)) / 255)};
}

float log_change(float change) { return std::log(change + kLeast); }

}  // namespace

ShotSignals::ShotSignals() : halves_(kKept * kNumbers * 2), thumbnails_(kKept * sizeof(Thumbnail)) {}

void ShotSignals::forget() {
  count_ = 0;
  brightness_ = {0.5F, 0};
}

std::int64_t ShotSignals::before(double lag) const {
  // Half a frame's time early is near enough.
  const double latest = seconds_[place(count_ - 1)] - lag + 0.02;
  std::int64_t frame = count_ - 2;
  while (frame > 0 && frame > count_ - kKept && seconds_[place(frame)] > latest) --frame;
  return frame;
}

ShotSignals::Values ShotSignals::still() const {
  Values out;
  out.fill(log_change(0));
  out[kCount - 3] = brightness_[0];
  out[kCount - 2] = brightness_[1];
  out[kCount - 1] = 0;
  return out;
}

ShotSignals::Values ShotSignals::step(const Encoded& frame, double dt) {
  const double now = count_ == 0 ? 0 : seconds_[place(count_ - 1)] + dt;
  const std::size_t here = place(count_++);
  seconds_[here] = now;
  std::uint8_t* at = &halves_[here * kNumbers * 2];
  for (const auto* part : {&frame.tokens, &frame.embedding}) {
    for (const float value : *part) {
      const std::uint16_t half = float_to_half(value);
      std::memcpy(at, &half, sizeof half);
      at += sizeof half;
    }
  }
  std::copy(frame.thumbnail.begin(), frame.thumbnail.end(), thumbnails_.begin() + std::ptrdiff_t(here * sizeof(Thumbnail)));
  brightness_ = brightness_of(frame.thumbnail);

  Values out = still();
  if (count_ == 1) return out;
  std::array<float, kNumbers> numbers_now, numbers_then;
  widen(&halves_[here * kNumbers * 2], numbers_now);
  std::int64_t last = -1;
  Changes changed{};
  for (std::size_t lag = 0; lag < kLags.size(); ++lag) {
    const std::int64_t then = before(kLags[lag]);
    if (then != last) {
      widen(&halves_[place(then) * kNumbers * 2], numbers_then);
      changed = changes(numbers_now, numbers_then, frame.thumbnail,
                        std::span(thumbnails_).subspan(place(then) * sizeof(Thumbnail), sizeof(Thumbnail)));
      last = then;
    }
    for (std::size_t kind = 0; kind < changed.size(); ++kind) out[lag * kKinds + kind] = log_change(changed[kind]);
  }
  out[kCount - 1] = static_cast<float>(std::clamp(std::log2(std::max(dt, 1e-3) / 0.04), -3.0, 3.0));
  return out;
}

}  // namespace longtake
