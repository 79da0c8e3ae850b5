// What a TTT layer is, in plain LibTorch: the text that fast versions are compared with, and what training
// differentiates. Every function is made of differentiable tensor operations, for whole batches, in float or
// double, on any device; gradients are LibTorch's own. See Note: The maths in kernels/ttt.h and ttt_layer.h
// for the names.
//
// Wrong extents throw: std::invalid_argument from here, c10::Error from LibTorch.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "models/ttt/block.h"
#include "models/ttt/rope.h"

namespace longtake::definition {

// Named parameters, names as ttt_layer.h and block.h list them.
using Parameters = std::map<std::string, at::Tensor, std::less<>>;

// The inner model's weights; B may be 1 to share them, then they are expanded.
struct FastWeights {
  at::Tensor w1, b1;  // [B][nh][f][h] [B][nh][1][h], linear [B][nh][f][f] [B][nh][1][f]
  at::Tensor w2, b2;  // [B][nh][h][f] [B][nh][1][f], linear undefined
};

struct InnerInputs {
  at::Tensor q, k, v;                 // [B][nh][L][f]
  at::Tensor lr;                      // [B][nh][L]
  at::Tensor token_scale;             // τ [b], kCausal only
  at::Tensor norm_weight, norm_bias;  // γ, β [nh][f]
  at::Tensor decay{};                 // α [nh]; undefined: none
  FastWeights learned_start{};  // W₀, for decay and kept row norms; undefined w1: the weights at the start
};

struct InnerOutputs {
  at::Tensor z;       // [B][nh][L][f]
  FastWeights end;    // after the last whole mini-batch
  at::Tensor before;  // [B][nh][L] mean over f of e², W as at the start of the token's mini-batch
};

// kFrame: L must be a multiple of b.
InnerOutputs inner_loop(const TttShape& shape, const InnerInputs& in, const FastWeights& start);

// Mean over f of e² of every token [B][nh][L] with W as it is, whatever the mini-batch; differentiable by all.
at::Tensor inner_loss(const TttShape& shape, const InnerInputs& in, const FastWeights& w);

// x [..., in] · weightᵀ [out][in]
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight);

// Rotary positions, see rope.h: x [B][nh][L][f], the first token at position 0.
at::Tensor turn(const RopeTable& rope, const at::Tensor& x);

// weight ⊙ (x − mean) / sqrt(variance + eps) + bias over the last extent.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

// What a layer is made of: the above, or faster ways to the same.
struct Operations {
  std::function<InnerOutputs(const TttShape&, const InnerInputs&, const FastWeights& start)> inner_loop =
      definition::inner_loop;
  std::function<at::Tensor(const at::Tensor& x, const at::Tensor& weight)> linear = definition::linear;
  std::function<at::Tensor(const RopeTable& rope, const at::Tensor& x)> turn = definition::turn;
  std::function<at::Tensor(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps)> layer_norm =
      definition::layer_norm;
};

// The learned start state of a layer's parameters, with B = 1.
FastWeights start_weights(const TttLayerConfig& config, const Parameters& parameters,
                          std::string_view prefix);

struct LayerOutputs {
  at::Tensor y;  // [B][L][C]
  FastWeights end;
  at::Tensor before;  // [B][nh][L]
  InnerInputs inner;  // what the inner loop was given
};

// x [B][L][C] from the start of a stream. `start`: undefined w1 takes the learned start state.
LayerOutputs layer(const TttLayerConfig& config, const RopeTable& rope, const Parameters& parameters,
                   std::string_view prefix, const at::Tensor& x, const FastWeights& start = {},
                   const Operations& operations = {});

// weight ⊙ x / sqrt(mean x² + eps) over the last extent.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

// As block.h says. LayerOutputs::y is the block's output.
LayerOutputs block(const TttBlockConfig& config, const RopeTable& rope, const Parameters& parameters,
                   std::string_view prefix, const at::Tensor& x, const FastWeights& start = {});

}  // namespace longtake::definition
