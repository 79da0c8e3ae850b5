// Gradients through the inner loop of kernels/ttt.h: what training the slow weights takes.
//
// The loss of the outer loop, L, is a function of the outputs z and of the state W that a call leaves behind.
// A call of many mini-batches does not keep what it computed on the way; it keeps W now and then
// (checkpoints), and the backward pass computes the rest again, a group of mini-batches at a time. Text as in
// ttt.h: no allocation, any number of threads, a mistake of the caller throws std::invalid_argument before
// anything is written, heads may be split over calls, equal arguments give equal bits.
//
// Note: The formulas
//   With a dual form in two passes (2.5) the mini-batches are walked backwards, carrying ∂L/∂W. For layer n
//   with input `in` (keys' pass) and `in̄` (queries' pass), the score S_n = in̄_n in_nᵀ + 1, M_ij = τ_i lr_j
//   for j ≤ i:
//     T = dZ̄_n G_nᵀ,  dM −= tril(T ⊙ S_n),  dS = −M ⊙ T,  dG_n −= (M ⊙ S_n)ᵀ dZ̄_n,  dW_n += in̄_nᵀ dZ̄_n,
//     din_n += dSᵀ in̄_n,  din̄_n = dZ̄_n W_nᵀ + dS in_n
//   then the state's step, the inner gradient's own derivative (gelu'' and the norm's second derivative) and
//   the first pass. The causal step reads ∂L/∂W after the mini-batch, so it comes before the queries' pass,
//   which adds to it; in the frame form queries read the W after the step, so that their pass comes first.
//   With c_j = lr_j τ_b (kFrame: lr_j / b), D_n = ∂L/∂W_n after the mini-batch, Y = in_n D_n with the bias:
//     dG_n −= c ⊙ Y,  din_n −= (c ⊙ G_n) D_nᵀ,  dc = −rowsum(Y ⊙ G_n),  D_n passes on
#pragma once

#include "kernels/ttt.h"

namespace longtake {

// W at the start of every `every`-th mini-batch of a call. A larger one takes less memory here and more
// scratch.
template <class T>
struct TttCheckpoints {
  int every = 4;         // at least 1
  T* weights = nullptr;  // [heads][ttt_checkpoint_count][ttt_weights_size]
};
int ttt_checkpoint_count(const TttShape& shape, int tokens, int every);  // of a call of so many tokens

// ttt_forward() that also fills the checkpoints. The state must have no open mini-batch. The tokens may end
// inside one; ∂L/∂(its rows) is then not asked for, but its outputs count.
template <class T>
TttReport ttt_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                      TttState<T>& state, const TttCheckpoints<T>& checkpoints);

template <class T>
struct TttGradients {
  TttView<const T> z;  // ∂L/∂z [heads][tokens][f]
  // Written.
  TttView<T> q, k, v;  // [heads][tokens][f]
  TttView<T> lr;       // [heads][tokens]
  // On entry ∂L/∂W for W after the call's last whole mini-batch (zeros: L does not look at it, or the window
  // is truncated), on return for W before the call's first token.
  T* weights = nullptr;  // [heads][ttt_weights_size]
  // Added to.
  T* token_scale = nullptr;  // τ [heads][b]; kCausal only
  T* norm_weight = nullptr;  // γ [heads][f]
  T* norm_bias = nullptr;    // β [heads][f]
  T* start = nullptr;  // W₀ [heads][ttt_weights_size], by way of decay and keep_row_norms; not needed without
};

// Gradients are those of q, k and lr as the call has them: unturned, and before the gate, if it says so. The gate itself
// gets none.
//
// `call` is the one that ttt_forward() was given; its z and losses are not looked at, its scratch is
// backward_scratch_size. Decay α is not differentiated. The gradients of a call with refused steps are not
// defined. Where the mathematics has no derivative it counts as 0: v − k of equal entries under a normalised
// target, the norm of a start row of length 0. A row of length 0, which stays, passes its gradient on. Throws
// std::invalid_argument for a backend without a backward pass.
//
// The interval of the checkpoints changes no bit in the scalar backend, nor does cutting a call into windows, except in
// the sums that are added to. Vector backends round the first pass otherwise than the forward pass does, so there both
// change the last digits.
template <class T>
void ttt_backward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                  const TttCheckpoints<T>& checkpoints, const TttGradients<T>& gradients);

// The fastest backend that has a backward pass for this shape.
template <class T>
const TttBackend<T>& ttt_best_trainer(const TttShape& shape);

}  // namespace longtake
