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

class SwiGlu : public torch::autograd::Function<SwiGlu> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& gate, const Tensor& up) {
    const Tensor open = at::sigmoid(gate);
    const Tensor y = at::empty_like(up);
    const float *g = gate.data_ptr<float>(), *u = up.data_ptr<float>(), *s = open.data_ptr<float>();
    float* out = y.data_ptr<float>();
    for (std::int64_t i = 0; i < y.numel(); ++i) out[i] = g[i] * s[i] * u[i];
    context->save_for_backward({gate, up, open});
    return y;
  }
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor dy = d_outputs[0].contiguous();
    const Tensor d_gate = at::empty_like(kept[0]), d_up = at::empty_like(kept[1]);
    const float *g = kept[0].data_ptr<float>(), *u = kept[1].data_ptr<float>(), *s = kept[2].data_ptr<float>();
    const float* d = dy.data_ptr<float>();
    float *dg = d_gate.data_ptr<float>(), *du = d_up.data_ptr<float>();
    for (std::int64_t i = 0; i < dy.numel(); ++i) {
      du[i] = d[i] * g[i] * s[i];
      dg[i] = d[i] * u[i] * s[i] * (1 + g[i] * (1 - s[i]));
    }
    return {d_gate, d_up};
  }
};

class AddScaled : public torch::autograd::Function<AddScaled> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& scale, const Tensor& y) {
    const std::int64_t width = x.size(-1);
    const Tensor z = at::empty_like(x);
    const float *a = x.data_ptr<float>(), *c = scale.data_ptr<float>(), *b = y.data_ptr<float>();
    float* out = z.data_ptr<float>();
    for (std::int64_t row = 0; row < x.numel(); row += width) {
      for (std::int64_t i = 0; i < width; ++i) out[row + i] = a[row + i] + c[i] * b[row + i];
    }
    context->save_for_backward({scale, y});
    return z;
  }
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor dz = d_outputs[0].contiguous();
    const std::int64_t width = dz.size(-1);
    const Tensor d_scale = at::zeros_like(kept[0]), dy = at::empty_like(kept[1]);
    const float *c = kept[0].data_ptr<float>(), *b = kept[1].data_ptr<float>(), *d = dz.data_ptr<float>();
    float *dc = d_scale.data_ptr<float>(), *db = dy.data_ptr<float>();
    for (std::int64_t row = 0; row < dz.numel(); row += width) {
      for (std::int64_t i = 0; i < width; ++i) {
        db[row + i] = c[i] * d[row + i];
        dc[i] += d[row + i] * b[row + i];
      }
    }
    return {dz, d_scale, dy};
  }
};

class MeanSquare : public torch::autograd::Function<MeanSquare> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& a, const Tensor& b) {
    const std::int64_t size = a.size(-1) * a.size(-2);
    const Tensor means = at::empty(a.sizes().slice(0, a.dim() - 2), a.options());
    for (std::int64_t i = 0; i < means.numel(); ++i) {
      const float *x = a.data_ptr<float>() + i * size, *y = b.data_ptr<float>() + i * size;
      means.data_ptr<float>()[i] =
          sum_over(size, [&](std::int64_t j) { return (x[j] - y[j]) * (x[j] - y[j]); }) / static_cast<float>(size);
    }
    context->save_for_backward({a, b});
    return means;
  }
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor d = d_outputs[0].contiguous();
    const std::int64_t size = kept[0].size(-1) * kept[0].size(-2);
    const Tensor da = at::empty_like(kept[0]);
    for (std::int64_t i = 0; i < d.numel(); ++i) {
      const float *x = kept[0].data_ptr<float>() + i * size, *y = kept[1].data_ptr<float>() + i * size;
      float* out = da.data_ptr<float>() + i * size;
      const float scale = 2 * d.data_ptr<float>()[i] / static_cast<float>(size);
      for (std::int64_t j = 0; j < size; ++j) out[j] = scale * (x[j] - y[j]);
    }
    return {da, Tensor()};
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

at::Tensor fast_swiglu(const at::Tensor& gate, const at::Tensor& up) {
  if (!is_float_here(gate)) return at::silu(gate) * up;
  return SwiGlu::apply(gate.contiguous(), up.contiguous());
}

at::Tensor fast_add_scaled(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) {
  if (!is_float_here(x)) return x + scale * y;
  return AddScaled::apply(x.contiguous(), scale.contiguous(), y.contiguous());
}

at::Tensor fast_mean_square(const at::Tensor& a, const at::Tensor& b) {
  if (!is_float_here(a)) return (a - b).square().mean(at::IntArrayRef{-2, -1});
  return MeanSquare::apply(a.contiguous(), b.contiguous());
}

}  // namespace longtake
