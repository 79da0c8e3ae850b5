// Rivals of the TTT layer for its place in a block of the stack: other ways to carry something from frame to frame. Each
// is written from its paper, in plain LibTorch, to be trained and judged by the same commands; none of them watches
// streams. All see a frame whole: what a token gets may depend on its frame and on earlier ones, never on later ones.
//
//   inner              parameters of a layer        numbers a layer keeps of a stream      bytes with C = 128, 2 heads
//   none               0                            0                                      0
//   gru                7 C² + 6 C                   C a token                              8,192
//   lstm               9 C² + 4 C                   2 C a token                            16,384
//   rwkv               4 C² + 5 C                   4 C a token                            32,768
//   gla                6 C² + C + f                 C f                                    32,768
//   mamba              6 C² + (6 N + 4 R + 14) C    2 C (N + 3) a token                    311,296
//   attention          4 C² + 2 f                   2 C a token and 1 a frame, all frames  16,388 a frame
//   attention-window   4 C² + 2 f                   the same of window_frames − 1 frames   508,028 (32 frames)
//   (mlp, to compare)                               8 f C + 5 C                            264,704
//
// C channels, f = C / heads, N = 16 and R = C / 16 (at least 1) of Mamba; a frame has `tokens` tokens, 16 as a rule.
// See state_bytes() of net/mixer.h.
#pragma once

#include <memory>

#include "models/net/mixer.h"

namespace longtake {

// Remembers nothing: y = 0. What a block then has are the running means in its input.
std::unique_ptr<Mixer> no_mixer();

// One gated recurrent unit for each token's place in the picture (Cho et al., arXiv 1406.1078, with the reset gate after
// the product): i, j = W_i x + b_i, W_h h + b_h in three parts each,
//   r = σ(i_r + j_r)   z = σ(i_z + j_z)   n = tanh(i_n + r ⊙ j_n)   h ← (1 − z) ⊙ n + z ⊙ h   y = W_o h
std::unique_ptr<Mixer> gru_mixer(const ModelConfig& config);

// The same with long short-term memory: g = W_i x + W_h h + b in four parts,
//   c ← σ(g_f + 1) ⊙ c + σ(g_i) ⊙ tanh(g_c)   h ← σ(g_o) ⊙ tanh(c)   y = W_o h
// The 1 keeps what is in the cell until training says otherwise.
std::unique_ptr<Mixer> lstm_mixer(const ModelConfig& config);

// Time mixing of RWKV-4 (arXiv 2305.13048), a linear recurrence for each token's place. With x' the frame before,
//   r, k, v = W_r, W_k, W_v of (μ ⊙ x + (1 − μ) ⊙ x'), a μ for each
//   y = W_o (σ(r) ⊙ (Σ_i e^(k_i − (t − 1 − i) w) v_i + e^(u + k) v) / (Σ_i e^(k_i − (t − 1 − i) w) + e^(u + k)))
// over earlier frames i, w = e^decay. Both sums are kept divided by the exponential of their largest exponent.
std::unique_ptr<Mixer> rwkv_mixer(const ModelConfig& config);

// Gated linear attention (arXiv 2312.06635), for each head one matrix S [f][f] that all tokens share:
//   S ← α ⊙ S + (1 − α) ⊙ mean_j silu(k_j)ᵀ v_j,  α = σ(W_a x̄ + a) a row's, x̄ the mean token of the frame
//   y = W_o (silu(W_g x) ⊙ RMSNorm(q S)), read after the frame
std::unique_ptr<Mixer> gla_mixer(const ModelConfig& config);

// The selective state space of Mamba (arXiv 2312.00752) for each token's place, E = 2 C channels of N numbers:
//   x, z = W_in x   x = silu(conv(x)) over 4 frames   Δ', B, C = W_x x   Δ = softplus(W_Δ Δ' + δ)
//   s ← e^(Δ A) ⊙ s + (Δ x) Bᵀ,  A = −e^a_log     y = W_out ((s C + d ⊙ x) ⊙ silu(z))
std::unique_ptr<Mixer> mamba_mixer(const ModelConfig& config);

// Softmax attention of every token to all tokens of its frame and of earlier ones: all that were kept, or those of the
// last config.window_frames frames, its own among them. Queries and keys are RMS-normed, then turned by RoPE (pairs of
// neighbours, base 10⁴) by the index of their frame. Only differences of indices count, so frames are counted anew from
// the oldest one kept: keys are stored unturned, angles are computed in double, and no stream is too long for a table.
std::unique_ptr<Mixer> attention_mixer(const ModelConfig& config);

}  // namespace longtake
