// The feed-forward part of a block, as one differentiable operation.
//
// It goes through the rows in blocks that stay in the cache, where the same made of single operations writes and reads
// numbers of all rows, three times as wide as the rows themselves, more than a dozen times.
#pragma once

#include <ATen/core/Tensor.h>

namespace longtake {

// h + (silu(x · gateᵀ) ⊙ x · upᵀ) · downᵀ; h and x [..., C], gate and up [I][C], down [C][I]. CPU, floats or doubles.
at::Tensor feed_forward(const at::Tensor& h, const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                        const at::Tensor& down);

}  // namespace longtake
