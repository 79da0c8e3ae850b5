// Between LibTorch's tensors and those of a safetensors file.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

// As floats. Errors: kModel (missing, another shape, a number that is not finite).
Result<at::Tensor> tensor_of(const TensorFile& file, const std::string& name, const std::vector<std::int64_t>& shape);
// kF16 or kF32.
Tensor stored(const at::Tensor& tensor, TensorType type);

}  // namespace longtake
