// Matrix products of floats for training, with gradients.
//
// Where oneDNN is at hand they go there, and otherwise to LibTorch, which hands them to a BLAS: OpenBLAS 0.3.21 (Debian
// 12) takes a processor that is younger than itself for one of 2004 and is then a tenth as fast, whatever instructions
// the processor has. oneDNN asks the processor. Doubles always go to LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace longtake {

// x [..., in] · weightᵀ [out][in] + bias [out] (undefined: none) → [..., out]
at::Tensor linear_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

// a [N][rows][inner] · b [N][inner][columns] → [N][rows][columns]
at::Tensor batched_product(const at::Tensor& a, const at::Tensor& b);

// Keeps the BLAS behind LibTorch, if it is OpenBLAS, to the thread that calls it: between products its own threads wait
// by asking again and again, and take the processor from those that work.
void keep_blas_to_one_thread();

}  // namespace longtake
