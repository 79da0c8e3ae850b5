// What training does to every row of many, each as one differentiable operation instead of the handful of LibTorch's it is
// made of in ttt_definition.h: those go through memory once for every multiplication.
//
// CPU, floats; everything else is handed to ttt_definition.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/ttt/rope.h"

namespace longtake {

// definition::rms_norm()
at::Tensor fast_rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

// definition::turn()
at::Tensor fast_turn(const RopeTable& rope, const at::Tensor& x);

}  // namespace longtake
