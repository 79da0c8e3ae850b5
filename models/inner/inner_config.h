// Which settings of a model folder lead to the inner loops of this folder, and what of them goes together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/model_folder.h"

namespace longtake::inner {

// Values of ModelConfig::optimiser and ModelConfig::mini_batch.
std::vector<std::string> optimiser_names();
std::vector<std::string> mini_batch_names();

// Values of ModelConfig::inner that are made here: linear-attention, nadaraya-watson, cnn, transformer. (mlp and linear
// are too if takes_general_loop().)
bool inner_known(std::string_view name);

// Whether this model's TTT layers learn by inner_loop.h or nadaraya_watson.h. Otherwise an mlp or a linear model learns
// frame by frame with sgd, which kernels/ttt.h does many times as fast, or `inner` is no TTT layer at all.
bool takes_general_loop(const ModelConfig& config);

// Empty, or what is wrong with `optimiser`, `mini_batch` and what they exclude: half a sentence for a message.
std::string complaint_about_inner(const ModelConfig& config);

}  // namespace longtake::inner
