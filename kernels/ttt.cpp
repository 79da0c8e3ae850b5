// What all backends share: sizes, the checks at the entry, the list.
#include "kernels/ttt.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/dense.h"
#include "kernels/ttt_entry.h"
#include "kernels/ttt_scalar.h"
#include "kernels/ttt_simd.h"

namespace longtake {
namespace ttt_entry {

void refuse(const std::string& what) { throw std::invalid_argument("ttt: " + what); }

void check(const TttShape& shape) {
  const auto width = [](int extent, const char* name) {
    static_assert(kMaxTttWidth == 4096);
    require(extent >= 1 && extent <= kMaxTttWidth, name, extent, ", not in 1..4096");
  };
  require(shape.heads >= 1 && shape.heads <= kMaxTttHeads, "heads", shape.heads);
  width(shape.head_width, "head_width");
  width(shape.mini_batch, "mini_batch");
  if (shape.model == TttModel::kMlp) width(shape.hidden_width, "hidden_width");
  require(shape.target == TttTarget::kResidual || shape.head_width >= 2,
          "a normalised target needs a head width of 2 or more");
  require(std::isfinite(shape.norm_eps) && shape.norm_eps > 0, "norm_eps is not a positive number");
}

template <class T>
void check_inputs(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call) {
  const bool causal = shape.form == TttForm::kCausal;
  check(shape);
  require(backend.supports(shape), "the backend does not support this shape");
  require(call.tokens >= 0 && call.tokens <= kMaxTttTokens, "tokens", call.tokens);
  require(causal || call.tokens % shape.mini_batch == 0,
          "tokens", call.tokens, ", not a multiple of the mini-batch");
  require(call.norm_weight != nullptr && call.norm_bias != nullptr, "the norm is missing");
  require(call.token_scale != nullptr || !causal, "the token scale is missing");
  require(call.start != nullptr ||
              (call.loss.init.data == nullptr && call.decay == nullptr && !shape.keep_row_norms),
          "the start weights are missing");
  if (call.tokens == 0) return;
  require(call.q.data != nullptr && call.k.data != nullptr && call.v.data != nullptr, "q, k or v is missing");
  require(call.lr.data != nullptr, "lr is missing");
  const TttRope& rope = call.rope;
  if (rope.cos == nullptr) return;
  require(rope.sin != nullptr, "the sines of the positions are missing");
  require(shape.head_width % 2 == 0, "head_width", shape.head_width, ", not even, as turned pairs need it");
  require(rope.period >= 1, "the period of the positions", rope.period);
  require(rope.position >= 0 && rope.position < rope.period, "the first position", rope.position, ", not in the period");
}

template <class T>
void check_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                   const TttState<T>& state) {
  check_inputs(backend, shape, call);
  const bool causal = shape.form == TttForm::kCausal;
  require(state.weights != nullptr, "the state has no weights");
  require(state.rows != nullptr || !causal, "the state has no rows");
  require(state.open >= 0 && state.open < (causal ? shape.mini_batch : 1),
          "open", state.open);
  require(call.scratch.size() >= backend.scratch_size(shape), "the scratch is too small");
  require(call.tokens == 0 || call.z.data != nullptr, "z is missing");
}

}  // namespace ttt_entry

namespace {

using ttt_entry::check;

struct Sizes {
  std::size_t f, h, b;
  explicit Sizes(const TttShape& shape)
      : f(shape.head_width), h(shape.model == TttModel::kMlp ? shape.hidden_width : 0), b(shape.mini_batch) {}
};

}  // namespace

std::size_t ttt_weights_size(const TttShape& shape) {
  check(shape);
  const auto [f, h, b] = Sizes(shape);
  return h == 0 ? f * f + f : 2 * f * h + h + f;
}

std::size_t ttt_rows_size(const TttShape& shape) {
  check(shape);
  const auto [f, h, b] = Sizes(shape);
  return shape.form == TttForm::kFrame ? 0 : b * (2 * f + 2 * h + 1);
}

template <class T>
TttWeightParts<T> ttt_weight_parts(const TttShape& shape, T* weights) {
  const auto [f, h, b] = Sizes(shape);
  if (h == 0) return {weights, weights + f * f, nullptr, nullptr};
  T* const b1 = weights + f * h;
  T* const w2 = b1 + h;
  return {weights, b1, w2, w2 + h * f};
}

template <class T>
TttRowParts<T> ttt_row_parts(const TttShape& shape, T* rows) {
  const auto [f, h, b] = Sizes(shape);
  T* const x = rows + b * f;
  T* const g1 = x + b * h;
  T* const g = g1 + b * h;
  T* const lr = g + b * f;
  return {rows, h == 0 ? nullptr : x, h == 0 ? nullptr : g1, g, lr};
}

template <class T>
std::span<const TttBackend<T>> ttt_backends() {
  static const std::vector<TttBackend<T>> backends = [] {
    std::vector<TttBackend<T>> all;
    if constexpr (sizeof(T) == sizeof(float)) {
      const auto simd = ttt_simd_backends();
      all.assign(simd.begin(), simd.end());
    }
    all.push_back(ttt_scalar_backend<T>());
    return all;
  }();
  return backends;
}

template <class T>
const TttBackend<T>& ttt_best_backend(const TttShape& shape) {
  check(shape);
  for (const auto& backend : ttt_backends<T>()) {
    if (backend.supports(shape)) return backend;
  }
  throw std::logic_error("ttt: the last backend supports every shape");
}

template <class T>
TttReport ttt_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                      TttState<T>& state) {
  ttt_entry::check_forward(backend, shape, call, state);
  return backend.forward(shape, call, state);
}

template <class T>
double ttt_drift(const TttShape& shape, const T* weights, const T* start) {
  constexpr std::size_t kChunk = 256;  // summed in T, good enough for so few, then in double
  const std::size_t count = ttt_weights_size(shape) * shape.heads;
  double moved = 0;
  double norm = 0;
  T step[kChunk];
  for (std::size_t at = 0; at < count; at += kChunk) {
    const int n = static_cast<int>(std::min(kChunk, count - at));
    for (int i = 0; i < n; ++i) step[i] = weights[at + i] - start[at + i];
    moved += dot(step, step, n);
    norm += dot(start + at, start + at, n);
  }
  if (moved == 0) return 0;  // also from a start of zeros
  return std::sqrt(moved / norm);
}

#define LONGTAKE_INSTANTIATE(T)                                                                           \
  template TttWeightParts<T> ttt_weight_parts(const TttShape&, T*);                                       \
  template TttWeightParts<const T> ttt_weight_parts(const TttShape&, const T*);                           \
  template TttRowParts<T> ttt_row_parts(const TttShape&, T*);                                             \
  template TttRowParts<const T> ttt_row_parts(const TttShape&, const T*);                                 \
  template std::span<const TttBackend<T>> ttt_backends();                                                 \
  template const TttBackend<T>& ttt_best_backend(const TttShape&);                                        \
  template void ttt_entry::check_inputs(const TttBackend<T>&, const TttShape&, const TttCall<T>&);        \
  template void ttt_entry::check_forward(const TttBackend<T>&, const TttShape&, const TttCall<T>&,        \
                                         const TttState<T>&);                                             \
  template TttReport ttt_forward(const TttBackend<T>&, const TttShape&, const TttCall<T>&, TttState<T>&); \
  template double ttt_drift(const TttShape&, const T*, const T*);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
