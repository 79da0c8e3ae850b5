// The inner loop around any inner model and optimiser, for several streams at once and with gradients for the outer
// loop: through every step, into everything that went in. Slow but exact; kernels/ttt.h has it fast for `linear`, `mlp`
// and sgd.
//
// Note: The loop
//   Tokens come in units of u, which are seen and read together: u = 1 token by token, or whole frames. W moves after
//   every mini-batch of b tokens, a multiple of u (2.4 of the paper: b = 1 is online gradient descent or naive TTT, the
//   whole stream is batch gradient descent, what lies between is mini-batch TTT).
//     f(x; W) = [x +] LN(model(x; W)),  LN(z) = γ ⊙ (z − mean z) / sqrt(mean (z − mean z)² + norm_eps) + β
//     ℓ_j = ½ ‖f(k_j; W) − v_j‖²
//   without `residual` the x is left out, without `norm` LN is. All evidence of a mini-batch (gradients of Σ c_j ℓ_j,
//   or what rls wants) is taken at W, its start. The queries of its i-th unit read what W would be if the mini-batch
//   ended there:  W_i = step(W, τ_i · evidence of units 1 … i),  z = f(q; W_i);  after the last unit W ← W_i.
//   So with sgd: u = 1 and τ_i = 1/i + ν_i is the kernels' kCausal, u = b and c = lr / b their kFrame.
//   With b = 0 no mini-batch ever ends: all gradients are those at the start of the stream, however long it is.
//
// Note: Guard
//   A head whose evidence or step is not finite, or larger than kMostWeight, is refused for that unit: what it knows
//   stays as it was, to the bit, and `refused` counts it. Its queries read W; at the end of a mini-batch the whole step
//   is left out. There is no gradient of that: where one is wanted it throws std::runtime_error.
//
// Extents that do not fit throw std::invalid_argument or c10::Error. Any thread.
#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "models/inner/inner_model.h"
#include "models/inner/inner_optimiser.h"

namespace longtake::inner {

inline constexpr double kMostWeight = 1e15;

struct LoopShape {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Optimiser> optimiser;
  int unit = 16;        // u, tokens
  int mini_batch = 16;  // b, tokens; 0: the whole stream
  bool norm = true;
  bool residual = true;
  double norm_eps = 1e-6;
};

struct Inputs {
  at::Tensor q, k, v;                 // [B][nh][L][f], L a multiple of u
  at::Tensor share;                   // c [B][nh][L], how much each token counts; undefined: 1
  at::Tensor scale;                   // τ [b / u]; undefined: 1
  at::Tensor norm_weight, norm_bias;  // γ, β [nh][f], with `norm` only
};

// All that a stream carries from one window to the next.
struct LoopState {
  Weights weights;              // at the start of the open mini-batch
  Weights moments;              // of the optimiser, likewise
  Weights open;                 // evidence of the open mini-batch so far
  std::int64_t open_units = 0;  // in it
};

// `weights` [B][nh][…] or, to share them, [1][nh][…].
LoopState loop_start(const LoopShape& shape, const Weights& weights, std::int64_t batch);

struct LoopOutputs {
  at::Tensor z;  // [B][nh][L][f]
  LoopState end;
  at::Tensor before;  // [B][nh][L] mean over f of (f(k) − v)², W as at the start of the token's mini-batch
  std::int64_t refused = 0;
};

LoopOutputs run_loop(const LoopShape& shape, const Inputs& in, const LoopState& start);

}  // namespace longtake::inner
