#include "models/net/feed_forward.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/swiglu.h"
#include "models/net/products.h"

namespace longtake {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

constexpr std::int64_t kBlock = 224;  // rows; half a dozen such blocks of the usual width fit in a second-level cache

Tensor rows_of(const Tensor& x) { return x.reshape({-1, x.size(-1)}).contiguous(); }

// f(first, rows)
template <class F>
void for_each_block(std::int64_t rows, F f) {
  for (std::int64_t first = 0; first < rows; first += kBlock) f(first, std::min(kBlock, rows - first));
}

template <class T>
void through_gate(const Tensor& gate, const Tensor& up, const Tensor& out) {
  swiglu(gate.data_ptr<T>(), up.data_ptr<T>(), out.data_ptr<T>(), static_cast<std::size_t>(gate.numel()));
}
template <class T>
void back_through_gate(const Tensor& gate, const Tensor& up, const Tensor& d, const Tensor& out, const Tensor& d_gate,
                       const Tensor& d_up) {
  swiglu_back(gate.data_ptr<T>(), up.data_ptr<T>(), d.data_ptr<T>(), out.data_ptr<T>(), d_gate.data_ptr<T>(),
              d_up.data_ptr<T>(), static_cast<std::size_t>(gate.numel()));
}

class FeedForward : public torch::autograd::Function<FeedForward> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& h, const Tensor& x, const Tensor& gate, const Tensor& up,
                        const Tensor& down) {
    const Tensor rows = rows_of(x);
    const std::int64_t n = rows.size(0), inner = gate.size(0);
    const auto activate = x.scalar_type() == at::kDouble ? through_gate<double> : through_gate<float>;
    const Tensor gates = at::empty({n, inner}, x.options()), ups = at::empty_like(gates);
    const Tensor activated = at::empty({std::min(n, kBlock), inner}, x.options());
    const Tensor y = h.clone(at::MemoryFormat::Contiguous), y_rows = y.view({n, -1});
    for_each_block(n, [&](std::int64_t first, std::int64_t count) {
      const auto block = [&](const Tensor& all) { return all.narrow(0, first, count); };
      const Tensor active = activated.narrow(0, 0, count);
      multiply({block(rows)}, {gate, true}, block(gates));
      multiply({block(rows)}, {up, true}, block(ups));
      activate(block(gates), block(ups), active);
      multiply({active}, {down, true}, block(y_rows), true);
    });
    context->save_for_backward({rows, gate, up, down, gates, ups});
    return y;
  }

  static std::vector<Tensor> backward(AutogradContext* context, std::vector<Tensor> d_outputs) {
    const auto kept = context->get_saved_variables();
    const Tensor &rows = kept[0], &gate = kept[1], &up = kept[2], &down = kept[3], &gates = kept[4], &ups = kept[5];
    const Tensor d_y = rows_of(d_outputs[0]);
    const std::int64_t n = rows.size(0);
    const auto activate_back = rows.scalar_type() == at::kDouble ? back_through_gate<double> : back_through_gate<float>;
    const Tensor d_x = at::empty_like(rows), d_gate = at::empty_like(gate), d_up = at::empty_like(up), d_down = at::empty_like(down);
    const auto room = [&] { return at::empty({std::min(n, kBlock), gate.size(0)}, rows.options()); };
    const Tensor activated = room(), d_activated = room(), d_gates = room(), d_ups = room();
    for_each_block(n, [&](std::int64_t first, std::int64_t count) {
      const auto block = [&](const Tensor& all) { return all.narrow(0, first, count); };
      const auto here = [&](const Tensor& own) { return own.narrow(0, 0, count); };
      const Tensor active = here(activated), d_active = here(d_activated), d_g = here(d_gates), d_u = here(d_ups);
      multiply({block(d_y)}, {down}, d_active);
      activate_back(block(gates), block(ups), d_active, active, d_g, d_u);
      const bool on_top = first > 0;
      multiply({block(d_y), true}, {active}, d_down, on_top);
      multiply({d_g, true}, {block(rows)}, d_gate, on_top);
      multiply({d_u, true}, {block(rows)}, d_up, on_top);
      multiply({d_g}, {gate}, block(d_x));
      multiply({d_u}, {up}, block(d_x), true);
    });
    return {d_outputs[0], d_x.view(d_outputs[0].sizes()), d_gate, d_up, d_down};
  }
};

}  // namespace

at::Tensor feed_forward(const at::Tensor& h, const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                        const at::Tensor& down) {
  return FeedForward::apply(h, x, gate.contiguous(), up.contiguous(), down.contiguous());
}

}  // namespace longtake
