// The inner loop for training: what definition::inner_loop() computes, by the kernels, with the backward pass
// of kernels/ttt_backward.h. Between the two it keeps its inputs and W at every few mini-batches, nothing
// else.
//
// On the CPU, float or double (all tensors of a call alike). Batch entries and heads are spread over as many
// threads as at::get_num_threads() says; each is computed by one of them and what they share is summed in a
// fixed order, so the number of threads changes no bit. May be called from any number of threads.
#pragma once

#include "models/ttt/ttt_definition.h"

namespace longtake {

struct TttFunctionOptions {
  // W is kept at every so many mini-batches: more of them take less memory, B · nh · ⌈L / (b · every)⌉ ·
  // ttt_weights_size numbers until the gradient has been taken, and more of it while it is taken.
  int checkpoint_every = 2;
  const char* backend = nullptr;  // by name; null: the fastest one that has a backward pass
};

// As definition::inner_loop(). Differentiable by q, k, v, lr, token_scale, the norm, `start` and the learned
// start; `before` and decay are not. Gradients pass through `end`: detach it where a window is to be
// truncated.
//
// Extents that do not fit, and a decay that wants a gradient, throw std::invalid_argument. Numbers that make
// an update overflow throw std::runtime_error: there is no gradient of a refused step.
definition::InnerOutputs ttt_inner_loop(const TttShape& shape, const definition::InnerInputs& in,
                                        const definition::FastWeights& start,
                                        const TttFunctionOptions& options = {});

}  // namespace longtake
