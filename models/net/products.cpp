#include "models/net/products.h"

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

// op(a) · op(b), matrices of whole rows: [rows][columns] as they lie.
at::Tensor product(const at::Tensor& a, bool a_transposed, const at::Tensor& b, bool b_transposed) {
  if (is_float_here(a)) {
    const std::int64_t m = a.size(a_transposed ? 1 : 0), k = a.size(a_transposed ? 0 : 1), n = b.size(b_transposed ? 0 : 1);
    const at::Tensor c = at::empty({m, n}, a.options());
    if (gemm(m, n, k, {a.data_ptr<float>(), a.size(1), a_transposed}, {b.data_ptr<float>(), b.size(1), b_transposed},
             c.data_ptr<float>())) {
      return c;
    }
  }
  return at::matmul(a_transposed ? a.t() : a, b_transposed ? b.t() : b);
}

at::Tensor batched(const at::Tensor& a, bool a_transposed, const at::Tensor& b, bool b_transposed) {
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < a.size(0); ++i) parts.push_back(product(a[i], a_transposed, b[i], b_transposed));
  return at::stack(parts);
}

class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight) {
    context->save_for_backward({x, weight});
    return product(x, false, weight, true);
  }
  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context, std::vector<at::Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const at::Tensor d = d_outputs[0].contiguous();
    at::Tensor d_x, d_weight;
    if (context->needs_input_grad(0)) d_x = product(d, false, kept[1], false);
    if (context->needs_input_grad(1)) d_weight = product(d, true, kept[0], false);
    return {d_x, d_weight};
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

at::Tensor linear_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (weight.dim() != 2 || x.size(-1) != weight.size(1)) {
    throw std::invalid_argument("linear_product: x must be [..., in] and weight [out][in]");
  }
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const at::Tensor y = Linear::apply(x.reshape({-1, x.size(-1)}).contiguous(), weight.contiguous()).view(shape);
  return bias.defined() ? y + bias : y;
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
