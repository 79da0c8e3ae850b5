// How a frame differs from those before it, in plain numbers: what the shot head looks at.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/pipeline/stages.h"
#include "models/encoder/encoder.h"

namespace longtake {

// Changes against frames of up to 0.64 s before, five kinds of them; how bright the picture is; how long ago the frame
// before was. Lags are times: at few frames a second several of them mean the same frame.
//
// Looks at at most kSlotRate frames a second, so that fast and slow cameras give about the same numbers: the caller leaves
// the others out. One thread, fixed memory. Frames are kept as 16-bit floats.
class ShotSignals {
 public:
  static constexpr std::array<double, 5> kLags{0.04, 0.08, 0.16, 0.32, 0.64};  // seconds
  static constexpr int kKinds = 5;  // tokens' mean and median, embedding, thumbnail, colours
  static constexpr int kCount = kKinds * static_cast<int>(kLags.size()) + 3;
  static constexpr double kSlotRate = 31;
  using Values = std::array<float, kCount>;  // changes by lag, then by kind, as logarithms; mean and spread of brightness; log dt

  ShotSignals();

  // `dt`: seconds since the last frame that was looked at.
  Values step(const Encoded& frame, double dt);
  // As if nothing had changed since the last frame. Before the first frame: a grey picture.
  Values still() const;
  void forget();

  template <class Archive>
  void archive(Archive& a) {
    a("halves", halves_);
    a("thumbnails", thumbnails_);
    a("seconds", seconds_);
    a("brightness", brightness_);
    a("count", count_);
  }

 private:
  static constexpr std::int64_t kKept = 20;  // frames of the longest lag at kSlotRate
  static constexpr std::size_t kNumbers = Encoder::kTokens * Encoder::kTokenChannels + Encoder::kEmbedding;

  std::size_t place(std::int64_t frame) const { return static_cast<std::size_t>(frame % kKept); }
  std::int64_t before(double lag) const;  // which frame is so far back

  std::vector<std::uint8_t> halves_;      // [kKept][kNumbers] 16-bit floats: tokens, embedding
  std::vector<std::uint8_t> thumbnails_;  // [kKept][sizeof(Thumbnail)]
  std::array<double, kKept> seconds_{};   // when each of them was
  std::array<float, 2> brightness_{0.5F, 0};
  std::int64_t count_ = 0;  // frames so far; the last one is at place(count_ - 1)
};

}  // namespace longtake
