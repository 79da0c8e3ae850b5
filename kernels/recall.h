// The recall memory: asked with a key, it answers with what it expects to belong to it, and learns from what it then sees.
//
// Numbers in, numbers out, as kernels/ttt.h: no allocation, no threads of its own; equal arguments give equal bits, and a
// stream cut into any pieces gives the bits of the whole. A caller's mistake throws std::invalid_argument at the entry;
// nothing is written then.
//
// Note: The maths
//   A TTT layer (arXiv 2407.04620, 2.1) without norm and residual whose mini-batch is one pair of a key x [n] and a value
//   v [V], read before it is written: it must not know the answer that it is asked for. Row vectors; c is how much of
//   this pair is written, 0 … 1.
//     kDelta   z = x W,  e = v − z,  W ← W + c xᵀ e
//              One gradient step on ½‖v − x W‖²: TTT-Linear, the delta rule (Widrow and Hoff 1960).
//     kRls     z = x W,  e = v − z,  p = x P,  g = c p / (λ + p·x),  W ← W + gᵀ e,  P ← P − gᵀ p
//              Recursive least squares: with c = 1, P = I and W = 0 at the start, W is at all times the exact minimum of
//              Σ‖v − x W‖² + λ‖W‖² over all pairs written, which is the Newton step where kDelta takes a gradient's.
//     kMlp     q = √n x,  r = 1 / sqrt(‖gelu(q W1 + b1)‖² + feature_eps),  y = r gelu(q W1 + b1),  z = y W2,
//              e = c (v − z),  G = rate · (e W2ᵀ / V) ⊙ r gelu'(q W1 + b1),
//              W1 ← W1 + qᵀ G,  b1 ← b1 + G,  W2 ← W2 + yᵀ e
//              TTT-MLP: both layers learn; the length of y counts as constant in its gradient. The division by the width
//              of the values keeps the first layer's step independent of it.
//   Features of a key that do not learn (gelu(x W1 + b1) under kDelta or kRls) are the caller's: x is then those.
//
// Note: Guard
//   A pair whose write is not finite, or larger than kMostRecallStep, is refused: the state keeps its bits and `refused`
//   counts it. No stream can make the state infinite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace longtake {

enum class RecallRule { kDelta, kRls, kMlp };

struct RecallShape {
  RecallRule rule = RecallRule::kRls;
  int keys = 64;      // n
  int hidden = 64;    // h, kMlp only
  int values = 1024;  // V
  double feature_eps = 1e-3;  // kMlp only
};

inline constexpr int kMaxRecallWidth = 1 << 16;   // n, h and V
inline constexpr int kMaxRecallSteps = 1 << 20;   // in one call
inline constexpr double kMostRecallStep = 1e15;   // of a number in W

// Numbers in a state: kDelta W [n][V]; kRls W, then P [n][n], which stays symmetric to the bit; kMlp W1 [n][h], b1 [h],
// W2 [h][V].
std::size_t recall_state_size(const RecallShape& shape);
template <class T>
struct RecallParts {
  T* w;   // [n][V], kMlp W2 [h][V]
  T* p;   // [n][n], kRls only
  T* w1;  // [n][h], kMlp only
  T* b1;  // [h], likewise
};
template <class T>
RecallParts<T> recall_parts(const RecallShape& shape, T* state);

// `steps` pairs, one after another. Strides count elements.
template <class T>
struct RecallCall {
  int steps = 0;
  const T* x = nullptr;  // [steps][n]
  std::ptrdiff_t x_stride = 0;
  const T* v = nullptr;  // [steps][V]
  std::ptrdiff_t v_stride = 0;
  const T* c = nullptr;  // [steps]; null: read only, and v is not looked at
  T lambda = 0;          // kRls, above 0
  T rate = 0;            // kMlp
  T* z = nullptr;        // [steps][V]
  std::ptrdiff_t z_stride = 0;
  std::span<T> scratch;  // at least recall_scratch_size(shape) numbers
};
std::size_t recall_scratch_size(const RecallShape& shape);

struct RecallReport {
  std::int64_t refused = 0;
};

// T is float or double. Floats take the instruction set of isa.h.
template <class T>
RecallReport recall_forward(const RecallShape& shape, const RecallCall<T>& call, T* state);

// What the outer loop needs: from ∂L/∂z and ∂L/∂(state at the end) to those of everything else.
template <class T>
struct RecallGradients {
  const T* z = nullptr;  // ∂L/∂z [steps][V], contiguous
  T* x = nullptr;        // [steps][n], contiguous; overwritten, as all that follow
  T* v = nullptr;        // [steps][V], contiguous
  T* c = nullptr;        // [steps]
  T lambda = 0;
  T rate = 0;
  T* state = nullptr;    // in: at the end; out: at the start. Of P only P_ij and P_ji together mean anything
};
std::size_t recall_backward_scratch_size(const RecallShape& shape, int steps);

// `call` as it was given to recall_forward(), with c, the z it filled and scratch for this; `start` is the state before it.
// No pair may have been refused: there is no gradient of that.
template <class T>
void recall_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& gradients);

// The same without anything that a processor might lack; see dense.h.
namespace plain {
template <class T>
RecallReport recall_forward(const RecallShape& shape, const RecallCall<T>& call, T* state);
template <class T>
void recall_backward(const RecallShape& shape, const RecallCall<T>& call, const T* start, RecallGradients<T>& gradients);
}  // namespace plain

}  // namespace longtake
