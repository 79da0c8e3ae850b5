// The rivals once more, as plain loops over numbers, each written from its paper's equations as rival_mixers.h has them.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/model_folder.h"
#include "models/ttt/ttt_definition.h"

namespace longtake::oracle {

// x [1][T][tokens][C], doubles, from the start of a stream → y, the same extents.
at::Tensor mixer(const ModelConfig& config, const definition::Parameters& parameters, const at::Tensor& x);

}  // namespace longtake::oracle
