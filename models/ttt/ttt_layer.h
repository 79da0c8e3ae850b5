// One TTT layer at work on a stream: projections, rotary positions, learning rates, the inner loop of
// kernels/ttt.h, norm, gate and output. Weights are const and shared by all streams; a stream is one
// TttLayerState, plain data that can be copied, saved and loaded. No LibTorch here: see ttt_definition.h for
// the same layer as its definition.
//
// Threads: any number, each with its own state and scratch. T is float or double.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"
#include "core/store/safetensors.h"
#include "kernels/aligned.h"
#include "kernels/ttt.h"
#include "models/ttt/parts.h"
#include "models/ttt/rope.h"
#include "models/ttt/scratch.h"

namespace longtake {

struct TttLayerConfig {
  TttModel model = TttModel::kMlp;
  TttForm form = TttForm::kFrame;
  TttTarget target = TttTarget::kResidual;
  TttUpdate update = TttUpdate::kAll;
  double decay = 0;             // α of every head, 0..1: how far each mini-batch takes W back to its start
  bool keep_row_norms = false;  // see kernels/ttt.h, both
  int width = 128;         // C
  int heads = 2;           // head width f = width / heads, hidden width 4f
  int mini_batch = 16;     // b
  double base_rate = 1.0;  // lr_j = base_rate / f · σ(w·x_j + bias)
  double rope_theta = 1e4;
  double inner_eps = 1e-6;
  double post_norm_eps = 1e-6;
  bool gate = false;      // output gate gelu(x Gᵀ)
  bool share_qk = false;  // q and k from one projection, each through its own causal depth-wise convolution
  int conv_width = 4;     // taps of those; the last tap is the current token
  bool unit_qk = false;   // q and k to unit length per head, before they are turned
  bool projection_bias = false;  // of q, k, v and the output

  // Throws std::invalid_argument if the numbers do not fit together.
  TttShape shape() const;
};

template <class T>
struct TttLayerWeights {
  TttLayerConfig config;
  RopeTable rope;
  Dense<T> q, k, v, o, g;           // k absent with share_qk, g without gate
  DepthwiseConv<T> conv_q, conv_k;  // share_qk only
  Dense<T> rate;                    // C → heads
  std::vector<T> token_offset;      // ν [b], kCausal only: τ_i = max(1/i + ν_i, 0)
  std::vector<T> norm_weight;       // γ [heads][f]
  std::vector<T> norm_bias;         // β [heads][f]
  LayerNorm<T> post_norm;           // over C
  AlignedVector<T> start;           // learned start state [heads][ttt_weights_size]
};

// Names below the prefix: q_proj.weight k_proj.weight v_proj.weight o_proj.weight g_proj.weight [C][C] (and
// .bias [C]), conv_q.weight conv_k.weight [C][1][taps] and .bias [C], learnable_ttt_lr_weight [heads][1][C]
// and _bias [heads][1], learnable_token_idx [b] (kCausal only), ttt_norm_weight ttt_norm_bias [heads][f],
// post_norm.weight .bias [C], W1 [heads][f][4f] b1 [heads][1][4f] W2 [heads][4f][f] b2 [heads][1][f]; linear:
// W1 [heads][f][f] b1 [heads][1][f]. Fails (kModel) if one is absent or has another shape. The rotary table
// is mini_batch_rope; replace it if need be.
template <class T>
Result<TttLayerWeights<T>> load_ttt_layer(const TttLayerConfig& config, const TensorFile& file,
                                          std::string_view prefix);

template <class T>
struct TttLayerState {
  AlignedVector<T> weights;  // [heads][ttt_weights_size], see Note: The state in kernels/ttt.h
  AlignedVector<T> rows;     // [heads][ttt_rows_size]
  int open = 0;              // tokens in the open mini-batch
  int position = 0;          // of the next token in the rotary table
  std::vector<T> conv_tail;  // [taps − 1][C] the last inputs of the convolutions; share_qk only
};

template <class T>
TttLayerState<T> start_state(const TttLayerWeights<T>& weights);

// Tensors below the prefix: W1 b1 W2 b2 as in the weights; rows.k .x .g1 .g [heads][b][…] and rows.lr
// [heads][b] (kCausal only, unused rows zero, so that the size never changes), conv_tail [taps−1][C], counts
// [2] = open, position.
void save_state(const TttLayerWeights<float>& weights, const TttLayerState<float>& state, TensorFile& file,
                std::string_view prefix);
// Fails (kModel) if a tensor is absent, has another shape, W is not finite, or a count is out of range.
Result<TttLayerState<float>> load_state(const TttLayerWeights<float>& weights, const TensorFile& file,
                                        std::string_view prefix);
// Numbers of the state times their size.
template <class T>
std::size_t state_bytes(const TttLayerState<T>& state);

// What the layer computed on its way, for tests and for curves. Filled if given.
template <class T>
struct TttLayerProbe {
  std::vector<T> q, k, v;              // [tokens][C], as the inner loop gets them
  std::vector<T> lr;                   // [tokens][heads]
  std::vector<T> z;                    // [tokens][C], as the inner loop gives it
  std::vector<T> before, after, init;  // [heads][tokens], see TttLossViews
};

template <class T>
struct TttLayerOptions {
  bool after = true;                       // LayerLoss::after; about a quarter more work
  const TttBackend<T>* backend = nullptr;  // null: the fastest
  TttLayerProbe<T>* probe = nullptr;
};

struct TttLayerReport {
  LayerLoss loss;    // means over tokens and heads; `after` over those tokens whose mini-batch ended in this
                     // call, NaN if there are none; `before` NaN without tokens
  TttReport counts;  // counts.refused goes to the guards of the end record
};

// y = layer(x), both [n][C] and not overlapping, for any n (kFrame: a multiple of b). The state moves n
// tokens on. Cutting a stream in other pieces changes no bit of y.
template <class T>
TttLayerReport ttt_layer_forward(const TttLayerWeights<T>& weights, TttLayerState<T>& state,
                                 TttScratch<T>& scratch, std::span<const T> x, std::span<T> y,
                                 const TttLayerOptions<T>& options = {});

}  // namespace longtake
