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

// x + scale ⊙ y, scale along the last extent.
at::Tensor fast_add_scaled(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y);

// The shares [H][means] of running means in predictions: seen [..., 1 + means, n] is x and how far each mean is from it;
// → [..., H, n], x + Σ_j share_hj (m_j − x). seen is a constant.
at::Tensor fast_drawn(const at::Tensor& seen, const at::Tensor& shares);

// mean (a − b)² over the last two extents; b is a constant.
at::Tensor fast_mean_square(const at::Tensor& a, const at::Tensor& b);

}  // namespace longtake
