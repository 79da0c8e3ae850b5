#include "models/ttt/ttt_function.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/ttt_backward.h"
#include "models/on_threads.h"

namespace longtake {
namespace {

using at::Tensor;
using definition::FastWeights;
using definition::InnerInputs;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument("ttt_inner_loop: " + what);
}

// All tensors of a call, of one type on the CPU. What is absent has no elements.
struct Inputs {
  Tensor q, k, v;      // [B][nh][L][f], contiguous along f
  Tensor lr;           // [B][nh][L]
  Tensor tau;          // [b]
  Tensor gamma, beta;  // [nh][f]
  Tensor weights;      // [B or 1][nh][ttt_weights_size]
  Tensor learned;      // [1][nh][ttt_weights_size], with rules that look at it
  Tensor decay;        // [nh]
};

// What a call is besides its tensors.
struct Plan : torch::CustomClassHolder {
  TttShape shape;  // of one head
  int every = 0;   // 0: no gradients are wanted
  std::string backend;
};

template <class T>
const TttBackend<T>& backend_of(const Plan& plan) {
  if (plan.backend.empty()) return ttt_best_trainer<T>(plan.shape);
  for (const auto& backend : ttt_backends<T>()) {
    if (backend.name == plan.backend && backend.backward != nullptr && backend.supports(plan.shape))
      return backend;
  }
  throw std::invalid_argument("ttt_inner_loop: no backend \"" + plan.backend +
                              "\" with gradients of this shape");
}

// [B][nh][L][…] that lies token by token, [B][L][nh][…], as the projections before and after the inner loop do.
Tensor by_token(at::IntArrayRef sizes, const at::TensorOptions& options) {
  std::vector<std::int64_t> shape = sizes.vec();
  std::swap(shape[1], shape[2]);
  return at::empty(shape, options).transpose(1, 2);
}

// One head of one sequence; tokens of x [B][nh][L][f] or [B][nh][L].
template <class T>
TttView<T> view_of(const Tensor& x, std::int64_t sequence, std::int64_t head) {
  using Plain = std::remove_const_t<T>;
  return {x.data_ptr<Plain>() + sequence * x.stride(0) + head * x.stride(1), 0, x.stride(2)};
}
template <class T>
T* row_of(const Tensor& x, std::int64_t row) {
  return x.numel() == 0 ? nullptr : x.data_ptr<T>() + row * x.stride(0);
}
// Of [B or 1][nh][…], contiguous.
template <class T>
T* block_of(const Tensor& x, std::int64_t sequence, std::int64_t head) {
  if (x.numel() == 0) return nullptr;
  return x.data_ptr<T>() + (x.size(0) == 1 ? 0 : sequence) * x.stride(0) + head * x.stride(1);
}

template <class T>
TttCall<T> call_of(const Inputs& in, std::int64_t sequence, std::int64_t head) {
  TttCall<T> call;
  call.tokens = int(in.q.size(2));
  call.q = view_of<const T>(in.q, sequence, head);
  call.k = view_of<const T>(in.k, sequence, head);
  call.v = view_of<const T>(in.v, sequence, head);
  call.lr = view_of<const T>(in.lr, sequence, head);
  call.token_scale = in.tau.numel() == 0 ? nullptr : in.tau.data_ptr<T>();
  call.norm_weight = row_of<T>(in.gamma, head);
  call.norm_bias = row_of<T>(in.beta, head);
  call.start = block_of<T>(in.learned, 0, head);
  call.decay = row_of<T>(in.decay, head);
  return call;
}

// f(sequence, head, scratch) for all of them.
template <class T, class F>
void for_each_head(const Inputs& in, std::size_t scratch_size, F f) {
  const std::int64_t heads = in.q.size(1);
  on_threads(in.q.size(0) * heads, [&](const auto& next) {
    std::vector<T> scratch(scratch_size);
    for (std::int64_t i = next(); i >= 0; i = next()) f(i / heads, i % heads, std::span<T>(scratch));
  });
}

struct Outputs {
  Tensor z, end, before, checkpoints;
};
template <class T>
Outputs forward(const Plan& plan, const Inputs& in) {
  const auto& backend = backend_of<T>(plan);
  const TttShape& shape = plan.shape;
  const std::int64_t batch = in.q.size(0), heads = in.q.size(1), length = in.q.size(2);
  const std::int64_t kept = plan.every == 0 ? 0 : ttt_checkpoint_count(shape, int(length), plan.every);
  Outputs out;
  out.z = by_token(in.q.sizes(), in.q.options());
  out.end = in.weights.expand({batch, heads, in.weights.size(2)}).clone(at::MemoryFormat::Contiguous);
  out.before = at::empty({batch, heads, length}, in.q.options());
  out.checkpoints = at::empty({batch, heads, kept, in.weights.size(2)}, in.q.options());
  Tensor refused = at::zeros({batch, heads}, at::kLong);
  const std::size_t rows_size = ttt_rows_size(shape);
  for_each_head<T>(in, backend.scratch_size(shape) + rows_size, [&](auto sequence, auto head, auto scratch) {
    TttCall<T> call = call_of<T>(in, sequence, head);
    call.z = view_of<T>(out.z, sequence, head);
    call.loss.before = view_of<T>(out.before, sequence, head);
    call.scratch = scratch.subspan(rows_size);
    TttState<T> state{block_of<T>(out.end, sequence, head), scratch.data(), 0};
    const TttReport report =
        plan.every == 0
            ? ttt_forward(backend, shape, call, state)
            : ttt_forward(backend, shape, call, state,
                          TttCheckpoints<T>{plan.every, block_of<T>(out.checkpoints, sequence, head)});
    *(refused.data_ptr<std::int64_t>() + sequence * heads + head) = report.refused;
  });
  if (const auto count = refused.sum().item<std::int64_t>(); count > 0 && plan.every > 0) {
    throw std::runtime_error("ttt_inner_loop: " + std::to_string(count) +
                             " updates are not finite, so there is no gradient");
  }
  return out;
}

// Over the first extent, in its order, whatever the number of threads.
template <class T>
Tensor summed(const Tensor& parts) {
  Tensor sum = at::empty(parts.sizes().slice(1), parts.options());
  const std::int64_t count = parts.size(0), size = sum.numel();
  const T* const from = parts.data_ptr<T>();
  T* const to = sum.data_ptr<T>();
  constexpr std::int64_t kChunk = 1 << 15;
  on_threads((size + kChunk - 1) / kChunk, [&](const auto& next) {
    for (std::int64_t chunk = next(); chunk >= 0; chunk = next()) {
      for (std::int64_t i = chunk * kChunk; i < std::min(size, (chunk + 1) * kChunk); ++i) {
        double total = 0;
        for (std::int64_t part = 0; part < count; ++part) total += double(from[part * size + i]);
        to[i] = T(total);
      }
    }
  });
  return sum;
}

// In the order of Inputs, but decay. `d_z` and `d_end` are those of Outputs.
template <class T>
std::vector<Tensor> backward(const Plan& plan, const Inputs& in, const Tensor& checkpoints, const Tensor& d_z,
                             const Tensor& d_end) {
  const auto& backend = backend_of<T>(plan);
  const TttShape& shape = plan.shape;
  const std::int64_t batch = in.q.size(0), heads = in.q.size(1);
  const auto options = in.q.options();
  const Tensor given = d_z.stride(3) == 1 ? d_z : d_z.contiguous();
  const Tensor q = by_token(in.q.sizes(), options), k = by_token(in.q.sizes(), options), v = by_token(in.q.sizes(), options),
               lr = by_token(in.lr.sizes(), options);
  const Tensor weights = d_end.clone(at::MemoryFormat::Contiguous);
  const auto zeros = [&](std::int64_t width) { return at::zeros({batch, heads, width}, options); };
  const Tensor tau = zeros(in.tau.numel()), gamma = zeros(in.q.size(3)), beta = zeros(in.q.size(3)),
               learned = zeros(in.learned.numel() == 0 ? 0 : in.learned.size(2));
  for_each_head<T>(in, backend.backward_scratch_size(shape, plan.every),
                   [&](auto sequence, auto head, auto scratch) {
                     TttCall<T> call = call_of<T>(in, sequence, head);
                     call.scratch = scratch;
                     TttGradients<T> to;
                     to.z = view_of<const T>(given, sequence, head);
                     to.q = view_of<T>(q, sequence, head);
                     to.k = view_of<T>(k, sequence, head);
                     to.v = view_of<T>(v, sequence, head);
                     to.lr = view_of<T>(lr, sequence, head);
                     to.weights = block_of<T>(weights, sequence, head);
                     to.token_scale = block_of<T>(tau, sequence, head);
                     to.norm_weight = block_of<T>(gamma, sequence, head);
                     to.norm_bias = block_of<T>(beta, sequence, head);
                     to.start = block_of<T>(learned, sequence, head);
                     const TttCheckpoints<T> kept{plan.every, block_of<T>(checkpoints, sequence, head)};
                     ttt_backward(backend, shape, call, kept, to);
                   });
  const bool shared = in.weights.size(0) == 1;
  return {q,
          k,
          v,
          lr,
          summed<T>(tau.view({batch * heads, in.tau.numel()})),
          summed<T>(gamma),
          summed<T>(beta),
          shared ? summed<T>(weights).unsqueeze(0) : weights,
          in.learned.numel() == 0 ? at::zeros_like(in.learned) : summed<T>(learned).unsqueeze(0)};
}

class InnerLoop : public torch::autograd::Function<InnerLoop> {
 public:
  static std::vector<Tensor> forward(torch::autograd::AutogradContext* context, c10::intrusive_ptr<Plan> plan,
                                     const Tensor& decay, const Tensor& q, const Tensor& k, const Tensor& v,
                                     const Tensor& lr, const Tensor& tau, const Tensor& gamma,
                                     const Tensor& beta, const Tensor& weights, const Tensor& learned) {
    const Inputs in{q, k, v, lr, tau, gamma, beta, weights, learned, decay};
    const Outputs out = q.scalar_type() == at::kDouble ? longtake::forward<double>(*plan, in)
                                                       : longtake::forward<float>(*plan, in);
    if (plan->every > 0) {
      context->save_for_backward({q, k, v, lr, tau, gamma, beta, weights, learned, decay, out.checkpoints});
      context->saved_data["plan"] = c10::IValue::make_capsule(plan);
    }
    context->mark_non_differentiable({out.before});
    return {out.z, out.end, out.before};
  }

  static std::vector<Tensor> backward(torch::autograd::AutogradContext* context,
                                      std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const auto plan = c10::static_intrusive_pointer_cast<Plan>(context->saved_data["plan"].toCapsule());
    const Inputs in{kept[0], kept[1], kept[2], kept[3], kept[4], kept[5], kept[6], kept[7], kept[8], kept[9]};
    const auto run =
        in.q.scalar_type() == at::kDouble ? longtake::backward<double> : longtake::backward<float>;
    std::vector<Tensor> gradients{{}, {}};  // of the plan and of decay
    for (Tensor& gradient : run(*plan, in, kept[10], d_outputs[0], d_outputs[1]))
      gradients.push_back(std::move(gradient));
    return gradients;
  }
};

// W1, b1, W2, b2 of each head one after another, as kernels/ttt.h has them: [B][nh][ttt_weights_size].
Tensor packed(const FastWeights& w) {
  std::vector<Tensor> parts;
  for (const Tensor& part : {w.w1, w.b1, w.w2, w.b2}) {
    if (part.defined()) parts.push_back(part.flatten(2));
  }
  return at::cat(parts, 2);
}
FastWeights unpacked(const TttShape& shape, const Tensor& blocks) {
  std::int64_t first = 0;
  const auto take = [&](std::int64_t rows, std::int64_t columns) {
    const Tensor part = blocks.narrow(2, first, rows * columns);
    first += rows * columns;
    return part.unflatten(2, {rows, columns});
  };
  const std::int64_t f = shape.head_width, h = shape.hidden_width;
  FastWeights w;
  const bool deep = shape.model == TttModel::kMlp;
  w.w1 = take(f, deep ? h : f);
  w.b1 = take(1, deep ? h : f);
  if (!deep) return w;
  w.w2 = take(h, f);
  w.b2 = take(1, f);
  return w;
}

void check(const TttShape& shape, const InnerInputs& in, const FastWeights& start) {
  require(
      in.q.defined() && in.q.dim() == 4 && in.q.size(1) == shape.heads && in.q.size(3) == shape.head_width,
      "q is not [B][nh][L][f]");
  require(in.q.device().is_cpu() && (in.q.scalar_type() == at::kFloat || in.q.scalar_type() == at::kDouble),
          "q is neither float nor double on the CPU");
  require(in.q.size(0) >= 1 && in.q.size(2) >= 1 && in.q.size(2) <= kMaxTttTokens, "q is empty or too long");
  const auto has = [&](const Tensor& x, const char* name, std::vector<std::int64_t> extents) {
    require(x.defined() && x.sizes() == extents, std::string(name) + " has other extents");
    require(x.options().type_equal(in.q.options()), std::string(name) + " is not of the type of q");
  };
  const std::int64_t batch = in.q.size(0), nh = shape.heads, f = shape.head_width, h = shape.hidden_width;
  has(in.k, "k", in.q.sizes().vec());
  has(in.v, "v", in.q.sizes().vec());
  has(in.lr, "lr", {batch, nh, in.q.size(2)});
  if (shape.form == TttForm::kCausal) has(in.token_scale, "token_scale", {shape.mini_batch});
  has(in.norm_weight, "norm_weight", {nh, f});
  has(in.norm_bias, "norm_bias", {nh, f});
  if (in.decay.defined()) {
    has(in.decay, "decay", {nh});
    require(!in.decay.requires_grad(), "decay has no gradient");
  }
  const auto has_weights = [&](const FastWeights& w, std::int64_t most) {
    require(w.w1.defined() && w.w1.dim() == 4 && (w.w1.size(0) == 1 || w.w1.size(0) == most),
            "the weights are not [B or 1][nh][…]");
    const std::int64_t sequences = w.w1.size(0);
    const bool deep = shape.model == TttModel::kMlp;
    has(w.w1, "W1", {sequences, nh, f, deep ? h : f});
    has(w.b1, "b1", {sequences, nh, 1, deep ? h : f});
    require(w.w2.defined() == deep && w.b2.defined() == deep, "the weights are of another model");
    if (!deep) return;
    has(w.w2, "W2", {sequences, nh, h, f});
    has(w.b2, "b2", {sequences, nh, 1, f});
  };
  has_weights(start, batch);
  if (in.learned_start.w1.defined()) has_weights(in.learned_start, 1);
}

}  // namespace

definition::InnerOutputs ttt_inner_loop(const TttShape& shape, const InnerInputs& in,
                                        const FastWeights& start, const TttFunctionOptions& options) {
  ttt_weights_size(shape);  // checks it
  check(shape, in, start);
  require(options.checkpoint_every >= 1, "checkpoint_every is " + std::to_string(options.checkpoint_every));
  const at::Tensor none = at::empty({0}, in.q.options());
  const auto rows = [](const at::Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); };
  const bool rules = shape.keep_row_norms || in.decay.defined();
  const at::Tensor weights = packed(start);
  at::Tensor learned = none;
  if (rules) {
    learned = in.learned_start.w1.defined() ? packed(in.learned_start) : weights;
    require(learned.size(0) == 1, "decay and kept row norms need a learned start that all sequences share");
  }
  const at::Tensor inputs[] = {rows(in.q),
                               rows(in.k),
                               rows(in.v),
                               in.lr,
                               shape.form == TttForm::kCausal ? in.token_scale.contiguous() : none,
                               in.norm_weight.contiguous(),
                               in.norm_bias.contiguous(),
                               weights,
                               learned};
  auto plan = c10::make_intrusive<Plan>();
  plan->shape = shape;
  plan->shape.heads = 1;
  if (options.backend != nullptr) plan->backend = options.backend;
  const bool wanted =
      at::GradMode::is_enabled() && std::any_of(std::begin(inputs), std::end(inputs),
                                                [](const at::Tensor& x) { return x.requires_grad(); });
  const std::int64_t mini_batches = (in.q.size(2) + shape.mini_batch - 1) / shape.mini_batch;
  plan->every = wanted ? int(std::min<std::int64_t>(options.checkpoint_every, mini_batches)) : 0;
  const at::Tensor decay = in.decay.defined() ? in.decay.detach().contiguous() : none;
  const auto out = InnerLoop::apply(plan, decay, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4],
                                    inputs[5], inputs[6], inputs[7], inputs[8]);
  return {out[0], unpacked(shape, out[1]), out[2]};
}

}  // namespace longtake
