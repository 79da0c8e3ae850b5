// The shape of a recall memory, as config.json of a model folder has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/recall.h"

namespace longtake {

struct RecallConfig {
  // What learns, and from what:
  //   delta      keys, one gradient step (TTT-Linear)
  //   rls        keys, recursive least squares
  //   mlp        both layers of an MLP, one gradient step (TTT-MLP)
  //   mlp-last   features of an MLP that does not learn, one gradient step on the last layer
  //   mlp-rls    such features, recursive least squares on the last layer
  //   both-rls   keys and such features, recursive least squares
  //   none, gla, gru, attention
  //              rivals of these, to be trained and compared, see models/baselines/recall_rivals.h
  std::string rule = "rls";
  int keys = 192;      // d
  int hidden = 192;    // h, of the MLP or the GRU
  int features = 192;  // G, of the net that makes keys and gates
  int window = 32;     // attention: frames looked back at
  std::string file = "recall.safetensors";
};

inline constexpr int kRecallTokens = 16;  // of a frame: 4x4, row by row
// Those of half 0 or 1, the two colours of a checkerboard, in ascending order. Half 0 hides those whose row + column is even.
std::vector<std::int64_t> recall_hidden_tokens(int half);

std::vector<std::string> recall_rule_names();
// Whether it has no kernel and therefore watches no streams.
bool recall_rule_is_rival(const std::string& rule);
// The usual shape of a memory with this rule.
RecallConfig recall_config_of(const std::string& rule);
// Of the two halves' memories, each. `values`: numbers of half a frame. Throws std::invalid_argument for a rival.
RecallShape recall_shape(const RecallConfig& config, int values);
// Whether keys go through gelu(√d k W1 + b1) before the rule sees them, alone or beside the keys.
bool recall_uses_hidden(const RecallConfig& config);

}  // namespace longtake
