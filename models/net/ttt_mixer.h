// A TTT layer as a mixer: ttt_definition.h's layer around any inner loop.
#pragma once

#include "models/net/mixer.h"

namespace longtake {

class TttMixer final : public Mixer {
 public:
  // `inner_loop`: ttt_inner_loop() of ttt_function.h, or definition::inner_loop() to compare with.
  TttMixer(const ModelConfig& config, definition::InnerLoop inner_loop);

  std::vector<ParameterStart> parameters() const override;
  MixerState start(const definition::Parameters& parameters, std::string_view prefix, std::int64_t batch) const override;
  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override;

 private:
  TttLayerConfig layer_;
  RopeTable rope_;
  definition::InnerLoop inner_loop_;
};

}  // namespace longtake
