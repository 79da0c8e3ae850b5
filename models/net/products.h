// Matrix products of floats for training, with gradients.
//
// Where oneDNN is at hand they go there, and otherwise to LibTorch, which hands them to a BLAS: OpenBLAS 0.3.21 (Debian
// 12) takes a processor that is younger than itself for one of 2004 and is then a tenth as fast, whatever instructions
// the processor has. oneDNN asks the processor. Doubles always go to LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace longtake {

// onto + x [..., in] · weightᵀ [out][in] → [..., out]. `onto` spreads over the result, as a bias [out] does; undefined: 0.
at::Tensor linear_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& onto = {});

// a [N][rows][inner] · b [N][inner][columns] → [N][rows][columns]
at::Tensor batched_product(const at::Tensor& a, const at::Tensor& b);

// Without gradients: op(a) · op(b) goes to c, or on top of it. Matrices whose rows are in one piece; those of c also follow
// one another.
struct Operand {
  const at::Tensor& matrix;
  bool transposed = false;
};
void multiply(Operand a, Operand b, const at::Tensor& c, bool on_top = false);

// Keeps the BLAS behind LibTorch, if it is OpenBLAS, to the thread that calls it: between products its own threads wait
// by asking again and again, and take the processor from those that work.
void keep_blas_to_one_thread();

}  // namespace longtake
