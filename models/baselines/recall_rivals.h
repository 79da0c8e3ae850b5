// Rivals of the rules of kernels/recall.h inside a RecallNet: other memories between the same features, keys, gates and
// base, trained and judged by the same commands. None of them watches streams. In LibTorch; the paper's letters as in
// recall_net.h, all for each half of the frame apart. Each frame is read before it is written, and c = 0 for a frame
// writes nothing.
//
//   rule        memory of one half                                              numbers of it
//   none        nothing: z = 0                                                  0
//   gla         gated linear attention (arXiv 2312.06635), keys read and        d V
//               write: z = k W, W ← (1 − w (1 − α)) ⊙ W + s c kᵀ v, α = σ(a A + α₀) a
//               row's, s learned, w the frame's write
//   gru         one gated recurrent unit: z = gelu([h, a] U + u) O,             h
//               h ← h + c (GRU([a, v], h) − h). It is given what was hidden, once it has answered: the features of
//               the half in view alone would never tell it what to fill in
//   attention   softmax attention over the last `window` frames' pairs:         window (d + V + 1)
//               z = Σ c_i e^(s k·k_i) v_i / (e^o + Σ c_i e^(s k·k_i)), s and o learned: e^o is a place that holds
//               nothing, so that an unknown frame need not be answered. A frame takes its place even with c = 0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/net/mixer.h"
#include "models/recall/recall_config.h"
#include "models/recall/recall_function.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

// M = 2 B memories, half by half.
struct RecallRivalInputs {
  at::Tensor features;  // a [M][T][G]
  at::Tensor keys;      // k [M][T][d]; undefined for none and gru
  at::Tensor values;    // v [M][T][V]
  at::Tensor write;     // w [M][T]; undefined: nothing is written
  at::Tensor c;         // [M][T], w times the gate; undefined likewise
  at::Tensor start;     // [M][size of a state]
};

class RecallRival {
 public:
  virtual ~RecallRival() = default;
  virtual std::vector<ParameterStart> parameters() const = 0;
  // Numbers of one memory's state, all zero at the start of a stream.
  virtual std::int64_t state_size() const = 0;
  virtual RecallOutputs forward(const definition::Parameters& parameters, const RecallRivalInputs& in) const = 0;
};

// Null: the rule is one of the kernels'. `values`: V.
std::unique_ptr<RecallRival> make_recall_rival(const RecallConfig& config, std::int64_t values);

}  // namespace longtake
