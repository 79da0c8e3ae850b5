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
    const float *w = weight.data_ptr<float>(), *in = x.data_ptr<float>();
    float *out = y.data_ptr<float>(), *kept = inverse.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row, in += width, out += width) {
      const float mean = sum_over(width, [&](std::int64_t i) { return in[i] * in[i]; }) / static_cast<float>(width);
      const float r = 1 / std::sqrt(mean + static_cast<float>(eps));
      for (std::int64_t i = 0; i < width; ++i) out[i] = w[i] * (in[i] * r);
      kept[row] = r;
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
    const float *w = weight.data_ptr<float>(), *in = x.data_ptr<float>(), *d = dy.data_ptr<float>();
    float *dw_sum = dw.data_ptr<float>(), *out = dx.data_ptr<float>();
    for (std::int64_t row = 0; row < rows; ++row, in += width, d += width, out += width) {
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

// Tables [period][pairs] laid out for x [B][nh][L][f]. The result lies as x does.
Tensor turned(const Tensor& x, const Tensor& cosine, const Tensor& sine, bool back) {
  const std::int64_t heads = x.size(1), length = x.size(2), pairs = x.size(3) / 2, period = cosine.size(0);
  const Tensor y = at::empty_like(x);
  const float sign = back ? -1.0F : 1.0F;
  const std::int64_t in_head = x.stride(1), in_token = x.stride(2), out_head = y.stride(1), out_token = y.stride(2);
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    const float* const in_row = x.data_ptr<float>() + b * x.stride(0);
    float* const out_row = y.data_ptr<float>() + b * y.stride(0);
    for (std::int64_t t = 0; t < length; ++t) {
      const float* const c = cosine.data_ptr<float>() + t % period * pairs;
      const float* const s = sine.data_ptr<float>() + t % period * pairs;
      for (std::int64_t head = 0; head < heads; ++head) {
        const float* const in = in_row + head * in_head + t * in_token;
        float* const out = out_row + head * out_head + t * out_token;
        for (std::int64_t p = 0; p < pairs; ++p) {
          const float cos = c[p], sin = sign * s[p];
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

class Drawn : public torch::autograd::Function<Drawn> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& seen, const Tensor& shares) {
    const std::int64_t horizons = shares.size(0), means = shares.size(1), width = seen.size(-1);
    std::vector<std::int64_t> shape = seen.sizes().vec();
    shape[shape.size() - 2] = horizons;
    const Tensor y = at::empty(shape, seen.options());
    const float *in = seen.data_ptr<float>(), *share = shares.data_ptr<float>();
    float* out = y.data_ptr<float>();
    for (const float* const end = in + seen.numel(); in < end; in += (1 + means) * width) {
      for (std::int64_t h = 0; h < horizons; ++h, out += width) {
        std::copy_n(in, width, out);
        for (std::int64_t j = 0; j < means; ++j) {
          const float a = share[h * means + j];
          const float* const apart = in + (1 + j) * width;
          for (std::int64_t i = 0; i < width; ++i) out[i] += a * apart[i];
        }
      }
    }
    context->save_for_backward({seen, shares});
    return y;
  }
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor dy = d_outputs[0].contiguous(), d_shares = at::zeros_like(kept[1]);
    const std::int64_t horizons = kept[1].size(0), means = kept[1].size(1), width = kept[0].size(-1);
    const float *in = kept[0].data_ptr<float>(), *d = dy.data_ptr<float>();
    float* const sums = d_shares.data_ptr<float>();
    for (const float* const end = in + kept[0].numel(); in < end; in += (1 + means) * width) {
      for (std::int64_t h = 0; h < horizons; ++h, d += width) {
        for (std::int64_t j = 0; j < means; ++j) {
          const float* const apart = in + (1 + j) * width;
          sums[h * means + j] += sum_over(width, [&](std::int64_t i) { return d[i] * apart[i]; });
        }
      }
    }
    return {Tensor(), d_shares};
  }
};

// Where block i of x begins, a block being the last two extents.
std::int64_t block_at(const Tensor& x, std::int64_t i) {
  std::int64_t at = 0;
  for (std::int64_t axis = x.dim() - 3; axis >= 0; --axis) {
    at += i % x.size(axis) * x.stride(axis);
    i /= x.size(axis);
  }
  return at;
}

// Rows of either may lie anywhere.
class MeanSquare : public torch::autograd::Function<MeanSquare> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& a, const Tensor& b) {
    const std::int64_t rows = a.size(-2), width = a.size(-1), a_row = a.stride(-2), b_row = b.stride(-2);
    const Tensor means = at::empty(a.sizes().slice(0, a.dim() - 2), a.options());
    float* const out = means.data_ptr<float>();
    for (std::int64_t block = 0; block < means.numel(); ++block) {
      const float *x = a.data_ptr<float>() + block_at(a, block), *y = b.data_ptr<float>() + block_at(b, block);
      float sum = 0;
      for (std::int64_t row = 0; row < rows; ++row, x += a_row, y += b_row) {
        sum += sum_over(width, [&](std::int64_t i) { return (x[i] - y[i]) * (x[i] - y[i]); });
      }
      out[block] = sum / static_cast<float>(rows * width);
    }
    context->save_for_backward({a, b});
    return means;
  }
  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor &a = kept[0], &b = kept[1];
    const Tensor d = d_outputs[0].contiguous(), da = at::empty_like(a);
    const std::int64_t rows = a.size(-2), width = a.size(-1);
    const std::int64_t a_row = a.stride(-2), b_row = b.stride(-2), to_row = da.stride(-2);
    for (std::int64_t block = 0; block < d.numel(); ++block) {
      const float *x = a.data_ptr<float>() + block_at(a, block), *y = b.data_ptr<float>() + block_at(b, block);
      float* to = da.data_ptr<float>() + block_at(da, block);
      const float scale = 2 * d.data_ptr<float>()[block] / static_cast<float>(rows * width);
      for (std::int64_t row = 0; row < rows; ++row, x += a_row, y += b_row, to += to_row) {
        for (std::int64_t i = 0; i < width; ++i) to[i] = scale * (x[i] - y[i]);
      }
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

at::Tensor fast_add_scaled(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& y) {
  if (!is_float_here(x)) return x + scale * y;
  return AddScaled::apply(x.contiguous(), scale.contiguous(), y.contiguous());
}

at::Tensor fast_drawn(const at::Tensor& seen, const at::Tensor& shares) {
  if (is_float_here(seen)) return Drawn::apply(seen.contiguous(), shares.contiguous());
  return at::matmul(at::cat({at::ones({shares.size(0), 1}, shares.options()), shares}, 1), seen);
}

at::Tensor fast_mean_square(const at::Tensor& a, const at::Tensor& b) {
  if (!is_float_here(a)) return (a - b).square().mean(at::IntArrayRef{-2, -1});
  const auto rows = [](const at::Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); };
  return MeanSquare::apply(rows(a), rows(b));
}

}  // namespace longtake
