// The inner loop of a TTT layer: a small model per head that learns, token by token, while it is being read.
//
// Numbers in, numbers out: no allocation, no files, no threads, no logging. The caller owns all memory; the
// sizes come from the functions below. Any number of threads may call, as long as each has its own state,
// outputs and scratch. Heads never touch each other, so a caller may also split a call by heads. Equal
// arguments give equal bits, and a stream cut into any pieces gives the bits of the whole.
//
// A caller's mistake (an extent, a missing pointer) throws std::invalid_argument at the entry; nothing is
// written then.
//
// Note: The maths
//   Section numbers are those of "Learning to (Learn at Test Time)", arXiv 2407.04620. Row vectors; one head;
//   f = head_width, h = hidden_width, b = mini_batch; ⊙ elementwise; mean over the f entries of a row.
//
//   The inner model (2.1, 2.7) maps a key to a value. Its weights W are the state.
//     linear   z = k W1 + b1                          W1 [f][f]
//     MLP      x = gelu(k W1 + b1),  z = x W2 + b2    W1 [f][h], W2 [h][f]; gelu is the tanh form
//     LN(z) = γ ⊙ x̂ + β,  x̂ = (z − mean z) ρ,  ρ = 1 / sqrt(mean (z − mean z)² + norm_eps)
//   It is trained on e = LN(z) − T, ℓ = ½‖e‖² (2.1, 2.3), where
//     kResidual     T = v − k
//     kNormalised   T = γ ⊙ (d − mean d) / (std d + 1e-8) + β,  d = v − k, std unbiased (arXiv 2504.05298)
//   so that, with u = γ ⊙ e,
//     ∂ℓ/∂z = g = ρ (u − mean u − x̂ mean(u ⊙ x̂)),   first layer: g1 = (g W2ᵀ) ⊙ gelu'(k W1 + b1).
//   All gradients of a mini-batch are taken at W, its start (2.4). lr is the rate of a token as it comes in,
//   with base rate, 1/f and gate already in it (2.7). What a query reads:
//     kCausal (2.4, 2.5)  the i-th token of the mini-batch, i = 1..b, reads W_i = W − τ_i Σ_{j≤i} lr_j g_j, and
//                         after the b-th token W ← W_b. τ = token_scale belongs to the reader, lr to the key. An
//                         open mini-batch leaves W as it is.
//     kFrame (2504.05298) first W ← W − (1/b) Σ_j lr_j g_j over the whole mini-batch, then every query of it
//                         reads W.
//   The result is z_i = q_i + LN(inner model at q_i).
//   After the step of a mini-batch, in this order, if asked for:
//     decay            W ← W + α (W₀ − W), α per head, W₀ the learned start: forgetting towards what was learned
//     keep_row_norms   each row r of the last layer's matrix ← r ‖r₀‖ / ‖r‖, r₀ that row of W₀ (rows of length 0
//                      stay). LN is blind to the scale of the last layer, so without it the norm of W only grows
//                      and steps fade on an endless stream (arXiv 2505.23884 rescales in this way).
//   Nothing of size W is built per token: W_i q is formed from the rows k, x, g1, g of the mini-batch (the
//   dual form, 2.5), with the bias as the weight of a constant 1:  q W1_i + b1_i = q W1 + b1 − τ_i Σ_{j≤i}
//   lr_j (q·k_j + 1) g1_j.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace longtake {

enum class TttModel { kLinear, kMlp };
enum class TttForm { kCausal, kFrame };
enum class TttTarget { kResidual, kNormalised };
// kLastLayer: W1 and b1 of an MLP stay at their start, 30 % less work (arXiv 2602.21204 found it no worse).
enum class TttUpdate { kAll, kLastLayer };

struct TttShape {
  TttModel model = TttModel::kMlp;
  TttForm form = TttForm::kCausal;
  TttTarget target = TttTarget::kResidual;
  TttUpdate update = TttUpdate::kAll;
  bool keep_row_norms = false;
  int heads = 1;
  int head_width = 64;     // f, at least 1; at least 2 with a normalised target
  int hidden_width = 256;  // h, the paper takes 4f; not looked at by the linear model
  int mini_batch = 16;     // b
  double norm_eps = 1e-6;  // of LN
};

// Larger extents are refused, so that no product of them overflows.
inline constexpr int kMaxTttHeads = 4096;
inline constexpr int kMaxTttWidth = 4096;      // f, h and b
inline constexpr int kMaxTttTokens = 1 << 24;  // in one call

// Note: The state
//   weights   [heads][ttt_weights_size]  W1, b1, W2, b2 at the start of the open mini-batch
//   rows      [heads][ttt_rows_size]     what the open mini-batch needs of its earlier tokens: k, x, g1, g and lr of
//                                        each. Only the first `open` rows mean anything. kFrame keeps none: size 0.
//   open      tokens in the open mini-batch, 0..b−1; always 0 in kFrame
//   The learned start state is another `weights`; to reset is to copy it and set open = 0. Use the functions
//   below to find a part; what lies between the parts is never read or written.
template <class T>
struct TttState {
  T* weights = nullptr;
  T* rows = nullptr;
  int open = 0;
};

std::size_t ttt_weights_size(const TttShape& shape);  // numbers per head
std::size_t ttt_rows_size(const TttShape& shape);     // numbers per head

template <class T>
struct TttWeightParts {
  T* w1;  // [f][h], linear [f][f]
  T* b1;  // [h],    linear [f]
  T* w2;  // [h][f], linear null
  T* b2;  // [f],    linear null
};
template <class T>
struct TttRowParts {
  T* k;   // [b][f]
  T* x;   // [b][h], linear null
  T* g1;  // [b][h], linear null
  T* g;   // [b][f]
  T* lr;  // [b]
};
// Of one head's block.
template <class T>
TttWeightParts<T> ttt_weight_parts(const TttShape& shape, T* weights);
template <class T>
TttRowParts<T> ttt_row_parts(const TttShape& shape, T* rows);

// A matrix per head, [heads][tokens][f] or, for one number a token, [heads][tokens]; the last extent is
// contiguous. Strides count elements. [tokens][heads·f] is {data, f, heads·f}.
template <class T>
struct TttView {
  T* data = nullptr;
  std::ptrdiff_t head_stride = 0;
  std::ptrdiff_t token_stride = 0;
};

// Mean over f of e² per token: 2/f times the inner loss, of order 1 in every layer. A view without data is
// not wanted.
template <class T>
struct TttLossViews {
  TttView<T> before;  // with W as it was at the start of the token's mini-batch; costs nothing
  TttView<T> after;   // with W as it is at the end of it; NaN if the mini-batch does not end in this call
  TttView<T> init;    // with W₀
};

// Rotary positions (the published models turn q and k by the position in the mini-batch; arXiv 2504.05298 by frame,
// row and column): the pair of channels (2m, 2m+1) of a call's i-th token is turned by the angle whose cosine and sine
// are entry m of row (position + i) mod period. Floats whatever T is, as in the published models.
struct TttRope {
  const float* cos = nullptr;  // [period][f / 2]; null: no turn
  const float* sin = nullptr;
  int period = 0;
  int position = 0;  // of the call's first token, 0..period−1
};
// One row: `to` ← `from` turned as above; they may be the same.
template <class T>
void ttt_turn(const TttRope& rope, int token, int head_width, const T* from, T* to);

// Inputs and outputs may not overlap.
template <class T>
struct TttCall {
  int tokens = 0;                  // any number ≥ 0; a multiple of b in kFrame
  TttView<const T> q, k, v;        // [heads][tokens][f]
  TttView<const T> lr;             // [heads][tokens]
  TttRope rope;                    // if it has tables, q and k come unturned
  const T* gate = nullptr;         // [heads]; if it is there, lr comes as x and the rate is gate · sigmoid(x) (2.7)
  const T* token_scale = nullptr;  // τ [b], kCausal only
  const T* norm_weight = nullptr;  // γ [heads][f]
  const T* norm_bias = nullptr;    // β [heads][f]
  const T* start = nullptr;  // W₀ [heads][ttt_weights_size]; for loss.init, decay and keep_row_norms only
  const T* decay = nullptr;  // α [heads], 0..1; null: none
  TttView<T> z;              // [heads][tokens][f]
  TttLossViews<T> loss;
  std::span<T> scratch;  // at least TttBackend::scratch_size numbers; what is in it does not matter
};

// Note: Guard
//   A mini-batch of one head whose update would leave a number in W that is not finite is refused: that head
//   keeps the W it had, bit for bit, the mini-batch counts as over, and `refused` counts it. In kFrame its
//   queries then read the W that was kept; in kCausal the outputs from the bad token to the end of its
//   mini-batch may not be finite.
struct TttReport {
  std::int64_t closed = 0;   // mini-batches that ended in this call, heads counted one by one
  std::int64_t refused = 0;  // of them
};

template <class T>
struct TttCheckpoints;
template <class T>
struct TttGradients;

// One way of computing the above. All of them obey the same text and are held to the same tests.
template <class T>
struct TttBackend {
  const char* name;
  bool (*supports)(const TttShape& shape);
  std::size_t (*scratch_size)(const TttShape& shape);  // numbers
  // These trust their arguments: call ttt_forward() and ttt_backward() instead.
  TttReport (*forward)(const TttShape& shape, const TttCall<T>& call, TttState<T>& state);
  // See ttt_backward.h. Both are null in a backend without a backward pass; "scalar" has one.
  std::size_t (*backward_scratch_size)(const TttShape& shape, int every);  // numbers
  void (*backward)(const TttShape& shape, const TttCall<T>& call, const TttCheckpoints<T>& checkpoints,
                   const TttGradients<T>& gradients);
};

// T is float or double. Those this machine can run, the fastest first; the last one, "scalar", supports every
// shape.
template <class T>
std::span<const TttBackend<T>> ttt_backends();
template <class T>
const TttBackend<T>& ttt_best_backend(const TttShape& shape);

// Reads q and learns from k, v: fills z and the wanted losses, and moves the state `call.tokens` tokens on.
template <class T>
TttReport ttt_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                      TttState<T>& state);

// How far W has moved: ‖W − W₀‖ / ‖W₀‖ over all numbers of all heads. Both
// [heads][ttt_weights_size].
template <class T>
double ttt_drift(const TttShape& shape, const T* weights, const T* start);

}  // namespace longtake
