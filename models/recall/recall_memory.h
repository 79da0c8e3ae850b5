// The recall memory at work on a stream: what recall_net.h computes in LibTorch for whole windows, one call a frame, with
// a state of fixed size.
//
// A frame's half is predicted from its other half and from what was seen before; the error says how new the frame is.
// Read before write: a frame is judged by the memory as it was before this frame.
//
// Note: Every frame is written
//   Training writes 7.5 frames a second, watching writes all there are: so the state knows no clock. Nearly equal frames cost
//   a second-order rule little, since what it knows already leaves no error to learn from.
//
// Equal input gives equal bits, on any number of threads around it; a stream that was saved and continued gives the bits
// of the whole. Nothing is allocated after the first frame.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "kernels/aligned.h"
#include "kernels/recall.h"
#include "models/recall/recall_config.h"
#include "models/ttt/parts.h"
#include "models/ttt/scratch.h"

namespace longtake {

// The nets around the memory of one half: of its visible tokens and what they tell of its hidden ones. V = 8 · latent.
struct RecallHalf {
  Dense<float> features;    // V → G
  Dense<float> base;        // G → V
  Dense<float> gates;       // G → 2: read, write
  Dense<float> keys;        // V → d
  Dense<float> feature_keys;  // G → d
  Dense<float> hidden;      // d → h; empty unless the rule takes features of keys
  AlignedVector<float> start;  // [recall_state_size]
};

struct RecallWeights {
  RecallConfig config;
  RecallShape shape;
  int latent = 0;
  std::array<RecallHalf, 2> halves;
  float lambda = 0;
  float rate = 0;
};

// Tensors: those of recall_parameters() in recall_net.h. Errors: kModel (missing, of another shape, not finite).
Result<RecallWeights> load_recall(const RecallConfig& config, int latent, const TensorFile& file);

struct RecallState {
  std::array<AlignedVector<float>, 2> halves;  // [recall_state_size]
  std::int64_t written = 0;  // frames
  std::int64_t guards = 0;   // writes of a half that were refused
};

RecallState start_state(const RecallWeights& weights);
void save_state(const RecallState& state, TensorFile& file);  // below "recall."
Result<RecallState> load_state(const RecallWeights& weights, const TensorFile& file);

// What a saved state says to those who have no model at hand; none where it is of a model without recall memory.
struct RecallSummary {
  std::int64_t written = 0;
  std::int64_t bytes = 0;
};
std::optional<RecallSummary> summarize_recall(const TensorFile& file);

// Squared errors of a frame's tokens, each predicted from the other half: means over the latent numbers.
//
// The projection is made so that the latent numbers have variance 1 over the training data; so this is the fraction of
// the feature variance that the memory does not explain. It is divided by nothing else: the variance of the stream itself
// would make one frame newer in a quiet video than in a lively one, and figures of two videos, or of one frame under two
// memories, could not be compared. The price: numbers of a single video may vary less or more than those of the training
// data (mean squares of .6 to 1.24 in 39 videos), and its errors with them.
struct RecallObservation {
  std::array<float, kRecallTokens> errors{};  // row by row
  double error = 0;                           // their mean
};

// One stream: weights shared, state and scratch its own. One thread.
class RecallMemory {
 public:
  explicit RecallMemory(const RecallWeights& weights)
      : weights_(weights), state_(start_state(weights)), hidden_{recall_hidden_tokens(0), recall_hidden_tokens(1)} {}

  // x [tokens][latent] of one frame. Throws std::invalid_argument if it has another extent.
  RecallObservation step(std::span<const float> x);
  // The same without writing: the state stays as it is.
  RecallObservation read(std::span<const float> x);

  const RecallState& state() const noexcept { return state_; }
  RecallState& state() noexcept { return state_; }

 private:
  RecallObservation pass(std::span<const float> x, bool write);
  void make_query(const RecallHalf& net, std::span<const float> key, std::span<float> query);

  const RecallWeights& weights_;
  RecallState state_;
  std::array<std::vector<std::int64_t>, 2> hidden_;  // tokens, by the half that hides them
  TttScratch<float> scratch_;
};

}  // namespace longtake
