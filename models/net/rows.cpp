#include "models/net/rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/ttt/ttt_definition.h"

namespace longtake {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

bool is_float_here(const Tensor& x) { return x.scalar_type() == at::kFloat && x.device().is_cpu(); }

// Σ f(i): in lanes that do not wait for one another, in an order that depends on nothing but the count.
template <class F>
float sum_over(std::int64_t count, F f) {
  constexpr std::int64_t kLanes = 16;
  std::array<float, kLanes> lanes{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[static_cast<std::size_t>(lane)] += f(i + lane);
  }
  float sum = 0;
  for (; i < count; ++i) sum += f(i);
  for (const float lane : lanes) sum += lane;
  return sum;
}

class RmsNormRows : public torch::autograd::Function<RmsNormRows> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, double eps) {
    const std::int64_t width = x.size(-1), rows = x.numel() / width;
    const Tensor y = at::empty_like(x);
    const Tensor inverse = at::empty({rows}, x.options());  // 1 / root mean square
    const float* w = weight.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* in = x.data_ptr<float>() + row * width;
      float* out = y.data_ptr<float>() + row * width;
      const float mean = sum_over(width, [&](std::int64_t i) { return in[i] * in[i]; }) / static_cast<float>(width);
      const float r = 1 / std::sqrt(mean + static_cast<float>(eps));
      for (std::int64_t i = 0; i < width; ++i) out[i] = w[i] * (in[i] * r);
      inverse.data_ptr<float>()[row] = r;
    }
    context->save_for_backward({x, weight, inverse});
    return y;
  }

  // With u = w ⊙ ∂y: ∂x = r u − x r³ (u·x) / n, ∂w = Σ over rows of ∂y ⊙ x r.
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor &x = kept[0], &weight = kept[1], &inverse = kept[2];
    const Tensor dy = d_outputs[0].contiguous();
    const std::int64_t width = x.size(-1), rows = x.numel() / width;
    const Tensor dx = at::empty_like(x), dw = at::zeros_like(weight);
    const float* w = weight.data_ptr<float>();
    float* dw_sum = dw.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* in = x.data_ptr<float>() + row * width;
      const float* d = dy.data_ptr<float>() + row * width;
      float* out = dx.data_ptr<float>() + row * width;
      const float r = inverse.data_ptr<float>()[row];
      const float along = sum_over(width, [&](std::int64_t i) { return w[i] * d[i] * in[i]; });
      const float back = along * r * r * r / static_cast<float>(width);
      for (std::int64_t i = 0; i < width; ++i) {
        out[i] = r * w[i] * d[i] - back * in[i];
        dw_sum[i] += d[i] * in[i] * r;
      }
    }
    return {dx, dw, Tensor()};
  }
};

// Tables [period][pairs] laid out for x [B][nh][L][f].
Tensor turned(const Tensor& x, const Tensor& cosine, const Tensor& sine, bool back) {
  const std::int64_t length = x.size(2), width = x.size(3), pairs = width / 2, period = cosine.size(0);
  const Tensor y = at::empty(x.sizes(), x.options());
  const float* c = cosine.data_ptr<float>();
  const float* s = sine.data_ptr<float>();
  const float sign = back ? -1.0F : 1.0F;
  float* out = y.data_ptr<float>();
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    for (std::int64_t head = 0; head < x.size(1); ++head) {
      for (std::int64_t t = 0; t < length; ++t, out += width) {
        const float* in = x.data_ptr<float>() + b * x.stride(0) + head * x.stride(1) + t * x.stride(2);
        const std::int64_t at = t % period * pairs;
        for (std::int64_t p = 0; p < pairs; ++p) {
          const float cos = c[at + p], sin = sign * s[at + p];
          const float even = in[2 * p], odd = in[2 * p + 1];
          out[2 * p] = even * cos - odd * sin;
          out[2 * p + 1] = even * sin + odd * cos;
        }
      }
    }
  }
  return y;
}

class Turn : public torch::autograd::Function<Turn> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cosine, const Tensor& sine) {
    context->save_for_backward({cosine, sine});
    return turned(x.stride(3) == 1 ? x : x.contiguous(), cosine, sine, false);
  }
  // A turn's transpose is the turn the other way.
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor dy = d_outputs[0].stride(3) == 1 ? d_outputs[0] : d_outputs[0].contiguous();
    return {turned(dy, kept[0], kept[1], true), Tensor(), Tensor()};
  }
};

}  // namespace

at::Tensor fast_rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  if (!is_float_here(x)) return definition::rms_norm(x, weight, eps);
  return RmsNormRows::apply(x.contiguous(), weight.contiguous(), eps);
}

at::Tensor fast_turn(const RopeTable& rope, const at::Tensor& x) {
  if (!is_float_here(x)) return definition::turn(rope, x);
  const auto table = [&](const std::vector<float>& from) {
    return at::from_blob(const_cast<float*>(from.data()), {rope.period, rope.pairs}, at::kFloat).clone();
  };
  return Turn::apply(x, table(rope.cos), table(rope.sin));
}

}  // namespace longtake
