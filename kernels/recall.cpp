#include "kernels/recall.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/dense.h"
#include "kernels/gelu.h"
#include "kernels/recall_entry.h"

namespace longtake {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("recall: ") + what);
}

void check(const RecallShape& shape) {
  const auto fits = [](int width) { return width >= 1 && width <= kMaxRecallWidth; };
  require(fits(shape.keys) && fits(shape.values), "keys and values must have 1 to 65536 numbers");
  require(shape.rule != RecallRule::kMlp || (fits(shape.hidden) && shape.feature_eps > 0),
          "the hidden width or its eps is out of range");
}

// What a step of one pair would add to W, for the guard.
template <class T>
bool within_bounds(const T* gain, int n, const T* error, int values) {
  // max() would let a NaN pass; a sum does not.
  T gains = 0;
  T errors = 0;
  for (int i = 0; i < n; ++i) gains += std::abs(gain[i]);
  for (int i = 0; i < values; ++i) errors += std::abs(error[i]);
  return gains * errors <= T(kMostRecallStep) && std::isfinite(gains) && std::isfinite(errors);
}

template <class T, class Products>
class Memory {
 public:
  Memory(const RecallShape& shape, const RecallCall<T>& call, T* state)
      : shape_(shape), call_(call), parts_(recall_parts(shape, state)) {
    T* at = call.scratch.data();
    const auto take = [&](int count) { return std::exchange(at, at + count); };
    error_ = take(shape.values);
    gain_ = take(read_width());
    features_ = take(read_width());
    query_ = take(shape.keys);
    slope_ = take(read_width());
  }

  RecallReport run() {
    RecallReport report;
    for (int t = 0; t < call_.steps; ++t) {
      const T* x = call_.x + t * call_.x_stride;
      T* z = call_.z + t * call_.z_stride;
      const T* y = shape_.rule == RecallRule::kMlp ? hidden(x) : x;
      std::fill_n(z, shape_.values, T(0));
      Products::multiply_add({1, read_width(), shape_.values}, {y, read_width(), 1}, parts_.w, shape_.values, z,
                             shape_.values);
      if (call_.c == nullptr) continue;
      const T* v = call_.v + t * call_.v_stride;
      for (int i = 0; i < shape_.values; ++i) error_[i] = v[i] - z[i];
      const bool written = shape_.rule == RecallRule::kDelta  ? write_delta(y, call_.c[t])
                           : shape_.rule == RecallRule::kRls ? write_rls(y, call_.c[t])
                                                             : write_mlp(y, call_.c[t]);
      if (!written) ++report.refused;
    }
    return report;
  }

 private:
  int read_width() const { return shape_.rule == RecallRule::kMlp ? shape_.hidden : shape_.keys; }

  // W ← W + gainᵀ error
  void add_step(const T* gain) {
    Products::multiply_add({read_width(), 1, shape_.values}, {gain, 1, 1}, error_, shape_.values, parts_.w, shape_.values);
  }

  bool write_delta(const T* x, T c) {
    for (int i = 0; i < shape_.keys; ++i) gain_[i] = c * x[i];
    if (!within_bounds(gain_, shape_.keys, error_, shape_.values)) return false;
    add_step(gain_);
    return true;
  }

  bool write_rls(const T* x, T c) {
    const int n = shape_.keys;
    T* const p = features_;
    std::fill_n(p, n, T(0));
    Products::multiply_add({1, n, n}, {x, n, 1}, parts_.p, n, p, n);
    const T size = call_.lambda + Products::dot(p, x, n);
    if (!(size > 0) || !(c >= 0)) return false;
    for (int i = 0; i < n; ++i) gain_[i] = c * p[i] / size;
    if (!within_bounds(gain_, n, error_, shape_.values)) return false;
    add_step(gain_);
    // c p pᵀ / size as the square of one vector: the same roundings on both sides of the diagonal.
    const T root = std::sqrt(c / size);
    for (int i = 0; i < n; ++i) p[i] *= root;
    for (int i = 0; i < n; ++i) {
      T* row = parts_.p + std::ptrdiff_t(i) * n;
      for (int j = 0; j < n; ++j) row[j] -= p[i] * p[j];
    }
    return true;
  }

  // y, with q in query_ and r gelu' in slope_.
  const T* hidden(const T* x) {
    const int n = shape_.keys, h = shape_.hidden;
    const T scale = std::sqrt(T(n));
    for (int i = 0; i < n; ++i) query_[i] = scale * x[i];
    std::copy_n(parts_.b1, h, features_);
    Products::multiply_add({1, n, h}, {query_, n, 1}, parts_.w1, h, features_, h);
    Products::gelu(features_, slope_, static_cast<std::size_t>(h));
    const T r = 1 / std::sqrt(Products::dot(features_, features_, h) + T(shape_.feature_eps));
    for (int i = 0; i < h; ++i) features_[i] *= r, slope_[i] *= r;
    return features_;
  }

  bool write_mlp(const T* y, T c) {
    const int n = shape_.keys, h = shape_.hidden, values = shape_.values;
    for (int i = 0; i < values; ++i) error_[i] *= c;
    const T share = call_.rate / T(values);
    for (int i = 0; i < h; ++i) {
      gain_[i] = share * Products::dot(parts_.w + std::ptrdiff_t(i) * values, error_, values) * slope_[i];
    }
    if (!within_bounds(y, h, error_, values) || !within_bounds(query_, n, gain_, h)) return false;
    add_step(y);
    Products::multiply_add({n, 1, h}, {query_, 1, 1}, gain_, h, parts_.w1, h);
    for (int i = 0; i < h; ++i) parts_.b1[i] += gain_[i];
    return true;
  }

  const RecallShape& shape_;
  const RecallCall<T>& call_;
  RecallParts<T> parts_;
  T *error_, *gain_, *features_, *query_, *slope_;
};

template <class T>
void check_call(const RecallShape& shape, const RecallCall<T>& call, std::size_t scratch) {
  check(shape);
  require(call.steps >= 0 && call.steps <= kMaxRecallSteps, "the number of steps is out of range");
  if (call.steps == 0) return;
  require(call.x != nullptr && call.z != nullptr, "x or z is missing");
  require(call.c == nullptr || call.v != nullptr, "v is missing");
  require(call.scratch.size() >= scratch, "scratch is too small");
  require(shape.rule != RecallRule::kRls || call.c == nullptr || call.lambda > 0, "lambda must be above 0");
}

template <class T, class Products>
RecallReport forward(const RecallShape& shape, const RecallCall<T>& call, T* state) {
  check_call(shape, call, recall_scratch_size(shape));
  require(state != nullptr, "the state is missing");
  return Memory<T, Products>(shape, call, state).run();
}

}  // namespace

namespace recall_entry {
template <class T>
void check_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, const RecallGradients<T>& to) {
  check_call(shape, call, recall_backward_scratch_size(shape, call.steps));
  require(start != nullptr && to.state != nullptr, "a state is missing");
  require(call.steps == 0 || (call.c != nullptr && to.z != nullptr && to.x != nullptr && to.v != nullptr && to.c != nullptr),
          "a gradient is missing");
}
template void check_backward(const RecallShape&, const RecallCall<float>&, const float*, const RecallGradients<float>&);
template void check_backward(const RecallShape&, const RecallCall<double>&, const double*, const RecallGradients<double>&);
}  // namespace recall_entry

std::size_t recall_state_size(const RecallShape& shape) {
  check(shape);
  const auto n = static_cast<std::size_t>(shape.keys), h = static_cast<std::size_t>(shape.hidden),
             values = static_cast<std::size_t>(shape.values);
  switch (shape.rule) {
    case RecallRule::kDelta: return n * values;
    case RecallRule::kRls: return n * values + n * n;
    case RecallRule::kMlp: return n * h + h + h * values;
  }
  throw std::invalid_argument("recall: no such rule");
}

template <class T>
RecallParts<T> recall_parts(const RecallShape& shape, T* state) {
  const std::ptrdiff_t n = shape.keys, h = shape.hidden, values = shape.values;
  switch (shape.rule) {
    case RecallRule::kDelta: return {state, nullptr, nullptr, nullptr};
    case RecallRule::kRls: return {state, state + n * values, nullptr, nullptr};
    case RecallRule::kMlp: return {state + n * h + h, nullptr, state, state + n * h};
  }
  throw std::invalid_argument("recall: no such rule");
}

std::size_t recall_scratch_size(const RecallShape& shape) {
  check(shape);
  const int read = shape.rule == RecallRule::kMlp ? shape.hidden : shape.keys;
  return static_cast<std::size_t>(shape.values) + 3 * static_cast<std::size_t>(read) + static_cast<std::size_t>(shape.keys);
}

template <class T>
RecallReport recall_forward(const RecallShape& shape, const RecallCall<T>& call, T* state) {
  return forward<T, FastProducts>(shape, call, state);
}
namespace plain {
template <class T>
RecallReport recall_forward(const RecallShape& shape, const RecallCall<T>& call, T* state) {
  return forward<T, PlainProducts>(shape, call, state);
}
}  // namespace plain

#define LONGTAKE_INSTANTIATE(T)                                                         \
  template RecallParts<T> recall_parts(const RecallShape&, T*);                         \
  template RecallReport recall_forward(const RecallShape&, const RecallCall<T>&, T*);   \
  namespace plain {                                                                     \
  template RecallReport recall_forward(const RecallShape&, const RecallCall<T>&, T*);   \
  }
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE
template RecallParts<const float> recall_parts(const RecallShape&, const float*);
template RecallParts<const double> recall_parts(const RecallShape&, const double*);

}  // namespace longtake
