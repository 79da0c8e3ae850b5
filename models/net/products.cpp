#include "models/net/products.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/net/gemm.h"

extern "C" void openblas_set_num_threads(int count) __attribute__((weak));  // null with another BLAS

namespace longtake {
namespace {

bool is_float_here(const at::Tensor& x) { return x.scalar_type() == at::kFloat && x.device().is_cpu(); }

at::Tensor product(Operand a, Operand b) {
  const at::Tensor c = at::empty({a.matrix.size(a.transposed ? 1 : 0), b.matrix.size(b.transposed ? 0 : 1)}, a.matrix.options());
  multiply(a, b, c);
  return c;
}

at::Tensor batched(const at::Tensor& a, bool a_transposed, const at::Tensor& b, bool b_transposed) {
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < a.size(0); ++i) parts.push_back(product({a[i], a_transposed}, {b[i], b_transposed}));
  return at::stack(parts);
}

// onto [..., out] + x [n][in] · weightᵀ; with an `onto` of no elements x · weightᵀ [n][out].
class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& onto) {
    context->save_for_backward({x, weight});
    if (onto.numel() == 0) return product({x}, {weight, true});
    const at::Tensor y = onto.clone(at::MemoryFormat::Contiguous);
    multiply({x}, {weight, true}, y.view({-1, y.size(-1)}), true);
    return y;
  }
  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context, std::vector<at::Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const at::Tensor d = d_outputs[0].reshape({-1, d_outputs[0].size(-1)}).contiguous();
    at::Tensor d_x, d_weight;
    if (context->needs_input_grad(0)) d_x = product({d}, {kept[1]});
    if (context->needs_input_grad(1)) d_weight = product({d, true}, {kept[0]});
    return {d_x, d_weight, context->needs_input_grad(2) ? d_outputs[0] : at::Tensor()};
  }
};

class Batched : public torch::autograd::Function<Batched> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& a, const at::Tensor& b) {
    context->save_for_backward({a, b});
    return batched(a, false, b, false);
  }
  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context, std::vector<at::Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const at::Tensor d = d_outputs[0].contiguous();
    at::Tensor d_a, d_b;
    if (context->needs_input_grad(0)) d_a = batched(d, false, kept[1], true);
    if (context->needs_input_grad(1)) d_b = batched(kept[0], true, d, false);
    return {d_a, d_b};
  }
};

}  // namespace

void multiply(Operand a, Operand b, const at::Tensor& c, bool on_top) {
  const std::int64_t inner = a.matrix.size(a.transposed ? 0 : 1);
  const auto factor = [](Operand of) {
    // The stride of a single row may be anything.
    return Factor{of.matrix.data_ptr<float>(), std::max(of.matrix.stride(0), of.matrix.size(1)), of.transposed};
  };
  if (is_float_here(c) && gemm(c.size(0), c.size(1), inner, factor(a), factor(b), on_top, c.data_ptr<float>())) return;
  at::Tensor to = c;
  at::addmm_out(to, c, a.transposed ? a.matrix.t() : a.matrix, b.transposed ? b.matrix.t() : b.matrix, on_top ? 1 : 0);
}

at::Tensor linear_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& onto) {
  if (weight.dim() != 2 || x.size(-1) != weight.size(1)) {
    throw std::invalid_argument("linear_product: x must be [..., in] and weight [out][in]");
  }
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
  const at::Tensor spread = onto.defined() ? onto.expand(shape) : at::empty({0}, x.options());
  return Linear::apply(rows, weight.contiguous(), spread).view(shape);
}

at::Tensor batched_product(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() != 3 || b.dim() != 3 || a.size(0) != b.size(0) || a.size(2) != b.size(1)) {
    throw std::invalid_argument("batched_product: a must be [N][rows][inner] and b [N][inner][columns]");
  }
  return Batched::apply(a.contiguous(), b.contiguous());
}

void keep_blas_to_one_thread() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

}  // namespace longtake
