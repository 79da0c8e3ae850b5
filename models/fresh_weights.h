// Weights for a model that nobody has trained, from a seed. Stored as fp16.
#pragma once

#include <cstdint>
#include <span>

#include "core/store/safetensors.h"
#include "models/model_folder.h"
#include "models/recall/recall_config.h"

namespace longtake {

// Random projections that keep distances, start weights of the inner loop, and a head that predicts running means until it
// is trained. `token_mean` and `token_scale` [token channels] are the encoder's own batch-norm statistics of its last map.
TensorFile fresh_stack(const ModelConfig& config, std::uint64_t seed, std::span<const float> token_mean,
                       std::span<const float> token_scale);

// `latent`: numbers a token of the stack's projection.
TensorFile fresh_recall(const RecallConfig& config, int latent, std::uint64_t seed);

}  // namespace longtake
