// The recall memory around the rules of kernels/recall.h: hides one half of a frame's tokens after the other, and fills
// them in from the half in view and from what was seen before.
//
//   The halves are the two colours of a 4x4 checkerboard. Per half, with `vis` its visible tokens and `hid` its hidden
//   ones, [8 · latent] each:
//     a = gelu(vis F + f)                              features [G]
//     base = a B + b0                                  what can be guessed without a memory
//     k = unit(vis R + a R2)                           key [d]
//     r, c = σ(a Γ + γ)                                how much is read, how much is written
//     x = k, or unit-like features of it               see RecallConfig::rule
//     prediction = base + r z,  z what the memory answers to x, taught v = hid − base
//   Rivals of the rules make their own use of a, k, v and c, and some leave k or the gates out: baselines/recall_rivals.h.
//   Keys are made the same way for reading and writing, values are raw residuals, and no norm stands between: the size of
//   an answer says how well it is known.
//
// In LibTorch, for training and evaluation. See recall_memory.h for the same on a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/net/mixer.h"
#include "models/recall/recall_config.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

std::vector<ParameterStart> recall_parameters(const RecallConfig& config, int latent);

struct RecallNetOutputs {
  at::Tensor predictions;  // [B][T][tokens][latent], each token from the other half and the memory before its frame
  at::Tensor state;        // [2·B][numbers of a half's state], half by half
};

class RecallRival;

class RecallNet {
 public:
  static constexpr int kTokens = kRecallTokens;

  // Errors: kModel (a tensor is missing or of another shape).
  static Result<RecallNet> load(const RecallConfig& config, int latent, const TensorFile& file);
  TensorFile save(TensorType type) const;

  at::Tensor start(std::int64_t batch) const;  // [2·B][numbers of a half's state]

  // x [B][T][tokens][latent]. `write` [B][T] scales how much is written; undefined: nothing is, and all frames are read
  // from the state as it is. `state` undefined: the start.
  RecallNetOutputs forward(const at::Tensor& x, const at::Tensor& state, const at::Tensor& write) const;

  const RecallConfig& config() const noexcept { return config_; }
  int latent() const noexcept { return latent_; }
  std::size_t state_bytes() const;  // of one stream, in floats
  definition::Parameters& parameters() noexcept { return parameters_; }
  const definition::Parameters& parameters() const noexcept { return parameters_; }

 private:
  RecallConfig config_;
  int latent_ = 0;
  RecallShape shape_;                         // of a rule that is no rival
  std::shared_ptr<const RecallRival> rival_;  // or null
  definition::Parameters parameters_;
};

}  // namespace longtake
