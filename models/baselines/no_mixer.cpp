#include <ATen/ATen.h>

#include "models/baselines/rival_mixers.h"

namespace longtake {
namespace {

class NoMixer final : public Mixer {
 public:
  std::vector<ParameterStart> parameters() const override { return {}; }
  MixerState start(const definition::Parameters&, std::string_view, std::int64_t) const override { return {}; }
  MixerOutputs forward(const definition::Parameters&, std::string_view, const at::Tensor& x,
                       const MixerState&) const override {
    return {at::zeros_like(x), {}, {}};
  }
};

}  // namespace

std::unique_ptr<Mixer> no_mixer() { return std::make_unique<NoMixer>(); }

}  // namespace longtake
