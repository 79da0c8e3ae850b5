// A TTT layer as a mixer: ttt_definition.h's layer around any inner loop and products.
#pragma once

#include "models/net/mixer.h"

namespace longtake {

class TttMixer final : public Mixer {
 public:
  // `operations`: ttt_inner_loop() and linear_product() of products.h, or the plain ones to compare with.
  TttMixer(const ModelConfig& config, definition::Operations operations);

  std::vector<ParameterStart> parameters() const override;
  MixerState start(const definition::Parameters& parameters, std::string_view prefix, std::int64_t batch) const override;
  MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                       const MixerState& state) const override;
  MixerOutputs probe(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                     const MixerState& state) const override;

 private:
  MixerOutputs run(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                   const MixerState& state, bool probing) const;

  TttLayerConfig layer_;
  RopeTable rope_;
  definition::Operations operations_;
};

}  // namespace longtake
