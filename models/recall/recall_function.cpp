#include "models/recall/recall_function.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/on_threads.h"

namespace longtake {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument("recall: " + what);
}

void check(const RecallShape& shape, const RecallInputs& in) {
  require(in.x.defined() && in.x.dim() == 3 && in.x.size(2) == shape.keys, "x is not [M][T][keys]");
  require(in.x.device().is_cpu() && (in.x.scalar_type() == at::kFloat || in.x.scalar_type() == at::kDouble),
          "x is neither float nor double on the CPU");
  const auto has = [&](const at::Tensor& tensor, const char* name, std::vector<std::int64_t> extents) {
    require(tensor.defined() && tensor.sizes() == extents, std::string(name) + " has other extents");
    require(tensor.options().type_equal(in.x.options()), std::string(name) + " is not of the type of x");
  };
  const std::int64_t memories = in.x.size(0), steps = in.x.size(1);
  has(in.start, "the start", {memories, static_cast<std::int64_t>(recall_state_size(shape))});
  if (!in.c.defined()) return;
  has(in.v, "v", {memories, steps, shape.values});
  has(in.c, "c", {memories, steps});
  if (shape.rule == RecallRule::kRls) has(in.lambda, "lambda", {});
  if (shape.rule == RecallRule::kMlp) has(in.rate, "rate", {});
}

struct Plan : torch::CustomClassHolder {
  RecallShape shape;
};

// Contiguous all; c without elements: nothing is written.
struct Inputs {
  at::Tensor x, v, c, lambda, rate, start;
};

template <class T>
T number(const at::Tensor& scalar) {
  return scalar.numel() == 0 ? T(0) : scalar.item<T>();
}

// What a call has of memory m, but scratch.
template <class T>
RecallCall<T> call_of(const Inputs& in, const at::Tensor& z, std::int64_t m) {
  const std::int64_t steps = in.x.size(1), keys = in.x.size(2), values = z.size(2);
  RecallCall<T> call;
  call.steps = static_cast<int>(steps);
  call.x = in.x.data_ptr<T>() + m * steps * keys;
  call.x_stride = keys;
  if (in.c.numel() > 0) {
    call.v = in.v.data_ptr<T>() + m * steps * values;
    call.v_stride = values;
    call.c = in.c.data_ptr<T>() + m * steps;
  }
  call.lambda = number<T>(in.lambda);
  call.rate = number<T>(in.rate);
  call.z = z.data_ptr<T>() + m * steps * values;
  call.z_stride = values;
  return call;
}

template <class T>
std::vector<at::Tensor> forward(const RecallShape& shape, const Inputs& in, bool differentiable) {
  const std::int64_t memories = in.x.size(0);
  const at::Tensor z = at::empty({memories, in.x.size(1), shape.values}, in.x.options());
  const at::Tensor end = in.start.clone(at::MemoryFormat::Contiguous);
  std::vector<std::int64_t> refused(static_cast<std::size_t>(memories));
  on_threads(memories, [&](const auto& next) {
    std::vector<T> scratch(recall_scratch_size(shape));
    for (std::int64_t m = next(); m >= 0; m = next()) {
      RecallCall<T> call = call_of<T>(in, z, m);
      call.scratch = scratch;
      refused[static_cast<std::size_t>(m)] = recall_forward<T>(shape, call, end.data_ptr<T>() + m * end.size(1)).refused;
    }
  });
  for (const std::int64_t count : refused) {
    if (differentiable && count > 0) throw std::runtime_error("recall: a write was refused, so there is no gradient");
  }
  return {z, end};
}

// In the order of Inputs.
template <class T>
std::vector<at::Tensor> backward(const RecallShape& shape, const Inputs& in, const at::Tensor& z, const at::Tensor& d_z,
                                 const at::Tensor& d_end) {
  const std::int64_t memories = in.x.size(0), steps = in.x.size(1);
  const at::Tensor x = at::empty_like(in.x), v = at::empty_like(z), c = at::empty_like(in.c),
                   state = d_end.clone(at::MemoryFormat::Contiguous);
  const at::Tensor lambda = at::zeros({memories}, in.x.options()), rate = at::zeros({memories}, in.x.options());
  on_threads(memories, [&](const auto& next) {
    std::vector<T> scratch(recall_backward_scratch_size(shape, static_cast<int>(steps)));
    for (std::int64_t m = next(); m >= 0; m = next()) {
      RecallCall<T> call = call_of<T>(in, z, m);
      call.scratch = scratch;
      RecallGradients<T> to;
      to.z = d_z.data_ptr<T>() + m * steps * shape.values;
      to.x = x.data_ptr<T>() + m * steps * shape.keys;
      to.v = v.data_ptr<T>() + m * steps * shape.values;
      to.c = c.data_ptr<T>() + m * steps;
      to.state = state.data_ptr<T>() + m * state.size(1);
      recall_backward<T>(shape, call, in.start.data_ptr<T>() + m * in.start.size(1), to);
      lambda.data_ptr<T>()[m] = to.lambda;
      rate.data_ptr<T>()[m] = to.rate;
    }
  });
  const auto scalar = [](const at::Tensor& like, const at::Tensor& parts) {
    return like.numel() == 0 ? at::zeros_like(like) : parts.sum();
  };
  return {x, v, c, scalar(in.lambda, lambda), scalar(in.rate, rate), state};
}

class RecallStream : public torch::autograd::Function<RecallStream> {
 public:
  static std::vector<at::Tensor> forward(torch::autograd::AutogradContext* context, c10::intrusive_ptr<Plan> plan,
                                         const at::Tensor& x, const at::Tensor& v, const at::Tensor& c,
                                         const at::Tensor& lambda, const at::Tensor& rate, const at::Tensor& start) {
    const Inputs in{x, v, c, lambda, rate, start};
    const bool wanted = x.requires_grad() || v.requires_grad() || c.requires_grad() || lambda.requires_grad() ||
                        rate.requires_grad() || start.requires_grad();
    auto out = x.scalar_type() == at::kDouble ? longtake::forward<double>(plan->shape, in, wanted)
                                              : longtake::forward<float>(plan->shape, in, wanted);
    context->save_for_backward({x, v, c, lambda, rate, start, out[0]});
    context->saved_data["plan"] = c10::IValue::make_capsule(plan);
    return out;
  }

  static std::vector<at::Tensor> backward(torch::autograd::AutogradContext* context, std::vector<at::Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const auto plan = c10::static_intrusive_pointer_cast<Plan>(context->saved_data["plan"].toCapsule());
    const Inputs in{kept[0], kept[1], kept[2], kept[3], kept[4], kept[5]};
    const auto run = in.x.scalar_type() == at::kDouble ? longtake::backward<double> : longtake::backward<float>;
    std::vector<at::Tensor> gradients{{}};  // of the plan
    for (at::Tensor& gradient : run(plan->shape, in, kept[6], d_outputs[0].contiguous(), d_outputs[1].contiguous())) {
      gradients.push_back(std::move(gradient));
    }
    return gradients;
  }
};

}  // namespace

RecallOutputs recall(const RecallShape& shape, const RecallInputs& in) {
  check(shape, in);
  if (!in.c.defined()) {
    // Nothing is written, so all pairs are read at once.
    return definition::recall(shape, in);
  }
  const at::Tensor none = at::empty({0}, in.x.options());
  auto plan = c10::make_intrusive<Plan>();
  plan->shape = shape;
  const auto out = RecallStream::apply(plan, in.x.contiguous(), in.v.contiguous(), in.c.contiguous(),
                                       shape.rule == RecallRule::kRls ? in.lambda : none,
                                       shape.rule == RecallRule::kMlp ? in.rate : none, in.start.contiguous());
  return {out[0], out[1]};
}

namespace definition {
namespace {

struct Gelu {
  at::Tensor value, slope;
};
Gelu gelu_of(const at::Tensor& x) {
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // √(2/π)
  const double cubic = 0.044715;
  const at::Tensor square = x * x;
  const at::Tensor t = at::tanh(scale * x * (1 + cubic * square));
  return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * cubic * square)};
}

}  // namespace

RecallOutputs recall(const RecallShape& shape, const RecallInputs& in) {
  check(shape, in);
  const std::int64_t memories = in.x.size(0), steps = in.x.size(1);
  const std::int64_t n = shape.keys, h = shape.hidden, values = shape.values;
  std::int64_t at = 0;
  const auto take = [&](std::int64_t rows, std::int64_t columns) {
    const at::Tensor part = in.start.narrow(1, at, rows * columns).view({memories, rows, columns});
    at += rows * columns;
    return part;
  };
  at::Tensor w, p, w1, b1;
  if (shape.rule == RecallRule::kMlp) {
    w1 = take(n, h);
    b1 = take(1, h);
    w = take(h, values);
  } else {
    w = take(n, values);
    if (shape.rule == RecallRule::kRls) p = take(n, n);
  }
  const auto across = [](const at::Tensor& a, const at::Tensor& b) { return at::matmul(a.transpose(1, 2), b); };
  std::vector<at::Tensor> answers;
  // Without writing every pair is read from the same state.
  const std::int64_t together = in.c.defined() ? 1 : steps;
  for (std::int64_t t = 0; t < steps; t += together) {
    const at::Tensor x = in.x.narrow(1, t, together);
    at::Tensor y = x, q, slope;
    if (shape.rule == RecallRule::kMlp) {
      q = std::sqrt(static_cast<double>(n)) * x;
      const Gelu hidden = gelu_of(at::matmul(q, w1) + b1);
      const at::Tensor r = at::rsqrt((hidden.value * hidden.value).sum(-1, true) + shape.feature_eps);
      y = r * hidden.value;
      slope = r * hidden.slope;
    }
    const at::Tensor z = at::matmul(y, w);
    answers.push_back(z);
    if (!in.c.defined()) break;
    const at::Tensor c = in.c.narrow(1, t, 1).unsqueeze(-1);
    at::Tensor e = in.v.narrow(1, t, 1) - z;
    switch (shape.rule) {
      case RecallRule::kDelta: w = w + across(c * x, e); break;
      case RecallRule::kRls: {
        const at::Tensor px = at::matmul(x, p);
        const at::Tensor gain = c * px / (in.lambda + (px * x).sum(-1, true));
        w = w + across(gain, e);
        p = p - across(gain, px);
        break;
      }
      case RecallRule::kMlp: {
        e = c * e;
        const at::Tensor first = in.rate * at::matmul(e / static_cast<double>(values), w.transpose(1, 2)) * slope;
        w = w + across(y, e);
        w1 = w1 + across(q, first);
        b1 = b1 + first;
        break;
      }
    }
  }
  std::vector<at::Tensor> end;
  if (shape.rule == RecallRule::kMlp) end = {w1.flatten(1), b1.flatten(1)};
  end.push_back(w.flatten(1));
  if (shape.rule == RecallRule::kRls) end.push_back(p.flatten(1));
  return {at::cat(answers, 1), at::cat(end, 1)};
}

}  // namespace definition
}  // namespace longtake
