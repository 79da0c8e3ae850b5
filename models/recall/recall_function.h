// The recall memory's rules for training: kernels/recall.h as one differentiable LibTorch operation, and the same in plain
// tensor operations as what it is compared with.
//
// CPU, float or double (all tensors of a call alike). Memories are spread over at::get_num_threads() threads; their number
// changes no bit. Wrong extents throw std::invalid_argument.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/recall.h"

namespace longtake {

struct RecallInputs {
  at::Tensor x;       // [M][T][n] keys, or features of them
  at::Tensor v;       // [M][T][V]
  at::Tensor c;       // [M][T] how much of each pair is written; undefined: none, and nothing learns
  at::Tensor lambda;  // scalar, kRls
  at::Tensor rate;    // scalar, kMlp
  at::Tensor start;   // [M][recall_state_size]
};
struct RecallOutputs {
  at::Tensor z;    // [M][T][V]
  at::Tensor end;  // [M][recall_state_size]
};

// Differentiable by everything. Throws std::runtime_error where a pair was refused and a gradient is wanted.
RecallOutputs recall(const RecallShape& shape, const RecallInputs& in);

namespace definition {
RecallOutputs recall(const RecallShape& shape, const RecallInputs& in);
}  // namespace definition

}  // namespace longtake
