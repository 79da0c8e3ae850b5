// The TTT stack at work on a stream: one call a frame, state of fixed size.
//
//   tokens of the encoder → z-score and fixed projection → x [tokens][latent]
//   running means m_j of x over 0.3, 1 and 10 s          (part of the state)
//   h = input([x, m_1 − x, m_2 − x, m_3 − x]) + position → blocks → RMSNorm
//   prediction of x at each horizon D:  x + Σ_j a_Dj (m_j − x) + head_D(h)
//
// Next-frame prediction of frozen features is mostly persistence and running means, hence their place in the sum: the
// head only has to learn what they miss.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/model_folder.h"
#include "models/ttt/block.h"

namespace longtake {

// One block, as the model folder describes it.
TttBlockConfig ttt_block_config(const ModelConfig& config);

struct StackWeights {
  ModelConfig config;
  Dense<float> projection;           // token channels → latent, with the z-score folded in
  Dense<float> input;                // latent · (1 + means) → C
  std::vector<float> position;       // [tokens][C]
  std::vector<TttBlockWeights<float>> blocks;
  RmsNorm<float> norm;               // [C]
  std::vector<Dense<float>> heads;   // per horizon: C → latent
  std::vector<float> mean_weights;   // a [horizons][means]
};

// Tensors: tokens.mean tokens.scale [channels], tokens.projection [latent][channels], input.weight [C][…] input.bias
// [C], position [tokens][C], blocks.I.…, norm.weight [C], head.weight [horizons·latent][C], head.bias, mean_weights
// [horizons][means]. Errors: kModel; also of a stack without TTT layers.
Result<StackWeights> load_stack(const ModelConfig& config, const TensorFile& file);

struct StackState {
  std::vector<TttBlockState<float>> blocks;
  std::vector<float> means;       // [means][tokens][latent]
  std::int64_t mean_count = 0;    // frames in them
  std::vector<float> prediction;  // [tokens][latent] of the next frame, at the nearest horizon
  bool has_prediction = false;
  std::int64_t guards = 0;        // inner steps that were refused
};

StackState start_state(const StackWeights& weights);
void save_state(const StackWeights& weights, const StackState& state, TensorFile& file);
Result<StackState> load_state(const StackWeights& weights, const TensorFile& file);
// Forgets what is tied to the moment (running means, prediction) and keeps what was learned.
void break_off(StackState& state);

struct StackObservation {
  std::optional<double> next_latent_error;  // mean square over tokens and numbers; the latent variance is about 1
  std::vector<LayerLoss> layers;
};

// One stream: weights shared, state and scratch its own. One thread.
class Stack {
 public:
  explicit Stack(const StackWeights& weights) : weights_(weights), state_(start_state(weights)) {}

  // `tokens` [tokens][channels] of one frame, `dt` seconds after the last one.
  StackObservation step(std::span<const float> tokens, double dt);

  // x [tokens][latent] of the last frame; empty before the first.
  std::span<const float> latents() const noexcept { return x_; }
  const StackState& state() const noexcept { return state_; }
  StackState& state() noexcept { return state_; }

 private:
  void update_means(std::span<const float> x, double dt);

  const StackWeights& weights_;
  StackState state_;
  TttScratch<float> scratch_;
  std::vector<float> x_, u_, h_, predicted_;
};

}  // namespace longtake
