// The shot head: a small convolution over shot signals that says where a shot ends and another begins.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/signals/observation.h"
#include "core/store/safetensors.h"
#include "models/shots/shot_signals.h"

namespace longtake {

// signals [kCount] → conv(kTaps) → [kChannels] relu → conv(kTaps) → [kChannels] relu → [2], a logit each:
//   transition  this frame is part of a change of shot, of whatever kind
//   cut         this frame is the first of the new shot, and the change was from one frame to the next
struct ShotWeights {
  static constexpr int kChannels = 32;
  static constexpr int kTaps = 9;
  static constexpr int kOutputs = 2;

  std::array<float, ShotSignals::kCount> mean{}, scale{};
  std::vector<float> first;   // [tap][signal][channel]
  std::vector<float> second;  // [tap][channel in][channel]
  std::vector<float> last;    // [channel][output]
  std::array<float, kChannels> first_bias{}, second_bias{};
  std::array<float, kOutputs> last_bias{};
};
// Signals are z-scored and cut to this many standard deviations.
inline constexpr float kMostShotSignal = 6;
// A frame is judged when so many later ones are known: half of each convolution.
static_assert(kShotDelay == 2 * (ShotWeights::kTaps / 2));

// Tensors and their extents; LibTorch's order, [out][in][tap].
struct ShotTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<ShotTensor> shot_tensors();
// Errors: kModel.
Result<ShotWeights> load_shots(const TensorFile& file);

// One stream. Before its first and after its last frame nothing changes. One thread, fixed memory; sums are added in one
// order, so equal input gives equal bits.
class ShotHead {
 public:
  explicit ShotHead(const ShotWeights& weights) : weights_(&weights) {}

  struct Logits {
    float transition = 0, cut = 0;
  };
  // `signals` of the next frame; what it says of the frame kShotDelay before it, if there is one.
  std::optional<Logits> step(const ShotSignals::Values& signals);
  // The stream ends: of the last kShotDelay frames, in order. `still`: signals of a picture that stays. Then all begins anew.
  std::vector<Logits> flush(const ShotSignals::Values& still);

  template <class Archive>
  void archive(Archive& a) {
    a("inputs", inputs_);
    a("hidden", hidden_);
    a("count", count_);
    a("pushes", pushes_);
  }

 private:
  static constexpr std::size_t kTaps = ShotWeights::kTaps;
  static constexpr std::size_t kChannels = ShotWeights::kChannels;

  Logits push(const ShotSignals::Values& signals);

  const ShotWeights* weights_;
  std::array<float, kTaps * ShotSignals::kCount> inputs_{};  // of the last kTaps frames, z-scored; frame n at n % kTaps
  std::array<float, kTaps * kChannels> hidden_{};            // likewise after the first convolution
  std::int64_t count_ = 0;   // frames since the stream began
  std::int64_t pushes_ = 0;  // and those before it, of which nothing is known
};

}  // namespace longtake
