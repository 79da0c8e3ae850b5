// TTT layers whose inner loop is one of this folder's as a mixer of the stack: projections, rotary positions, gate of
// the rate, post-norm and output as in every TTT layer (ttt_definition.h), so that the inner loop is all that differs.
//
//   inner              learns                                                     rate of a token
//   mlp, linear        by `optimiser`: base_rate / f, see inner_optimiser.h       gate / tokens of the mini-batch
//   cnn, transformer   likewise
//   linear-attention   a matrix from 0 by one batch over the stream; no norm,     1
//                      no residual: what is read is Σ_s v_s (k_s · q)
//   nadaraya-watson    nothing; keeps all                                         -
//
//   mini_batch: "frame", or "token" (u = b = 1), or "stream" (frames are read as they come, all gradients at the
//   weights at its start; a token counts as in a mini-batch of a frame). With rls there is no output norm.
#pragma once

#include <optional>

#include "models/inner/inner_loop.h"
#include "models/net/mixer.h"
#include "models/ttt/rope.h"

namespace longtake::inner {

class InnerMixer final : public Mixer {
 public:
  // Throws std::invalid_argument if the settings are not among those of inner_config.h.
  explicit InnerMixer(const ModelConfig& config);

  std::vector<ParameterStart> parameters() const override;
  MixerState start(const definition::Parameters& parameters, std::string_view prefix,
                   std::int64_t batch) const override;
  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override;

 private:
  LoopState state_of(const MixerState& state) const;

  std::int64_t width_, heads_, head_width_;
  RopeTable rope_;
  bool attention_;                 // linear-attention: no weights of its own, no gate
  std::optional<LoopShape> loop_;  // none: nadaraya-watson
};

}  // namespace longtake::inner
