// One block of the stack on a stream of tokens x [n][C], pre-norm with residuals:
//   x ← x + conv(RMSNorm(x))                   only with pre_conv
//   x ← x + tanh(α) ⊙ TTT(RMSNorm(x))          α per channel, learned; absent: plain residual
//   x ← x + down( silu(gate(y)) ⊙ up(y) ),  y = RMSNorm(x)
#pragma once

#include "models/ttt/ttt_layer.h"

namespace longtake {

struct TttBlockConfig {
  TttLayerConfig layer;
  int inner_width = 336;       // of SwiGLU
  double norm_eps = 1e-6;      // of the RMSNorms
  bool gated_residual = true;  // α
  bool pre_conv = false;       // with layer.conv_width taps
};

template <class T>
struct TttBlockWeights {
  TttBlockConfig config;
  RmsNorm<T> conv_norm;   // pre_conv only
  DepthwiseConv<T> conv;  // pre_conv only
  RmsNorm<T> seq_norm;
  TttLayerWeights<T> layer;
  std::vector<T> residual_gate;  // tanh(α) [C]; empty: plain residual
  RmsNorm<T> ffn_norm;
  Dense<T> gate, up, down;  // SwiGLU
};

// Names below the prefix: seq_norm.weight ffn_norm.weight alpha [C]; mlp.gate_proj.weight mlp.up_proj.weight
// [I][C], mlp.down_proj.weight [C][I]; conv.norm.weight [C], conv.conv.weight [C][1][taps], conv.conv.bias
// [C]; the layer's below seq_modeling_block. Fails (kModel) if one is absent or has another shape.
template <class T>
Result<TttBlockWeights<T>> load_ttt_block(const TttBlockConfig& config, const TensorFile& file,
                                          std::string_view prefix);

template <class T>
struct TttBlockState {
  TttLayerState<T> layer;
  std::vector<T> conv_tail;  // [taps − 1][C] pre_conv only
};

template <class T>
TttBlockState<T> start_state(const TttBlockWeights<T>& weights);

// The layer's tensors below the prefix, and pre_conv_tail with pre_conv.
void save_state(const TttBlockWeights<float>& weights, const TttBlockState<float>& state, TensorFile& file,
                std::string_view prefix);
Result<TttBlockState<float>> load_state(const TttBlockWeights<float>& weights, const TensorFile& file,
                                        std::string_view prefix);
template <class T>
std::size_t state_bytes(const TttBlockState<T>& state);

// x [n][C] in place, for any n (kFrame: a multiple of b).
template <class T>
TttLayerReport ttt_block_forward(const TttBlockWeights<T>& weights, TttBlockState<T>& state,
                                 TttScratch<T>& scratch, std::span<T> x,
                                 const TttLayerOptions<T>& options = {});

}  // namespace longtake
