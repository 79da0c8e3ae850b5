#include <stdexcept>

#include "models/net/ttt_mixer.h"
#include "models/ttt/ttt_function.h"

namespace longtake {

std::unique_ptr<Mixer> make_mixer(const ModelConfig& config) {
  const auto inner_loop = [](const TttShape& shape, const definition::InnerInputs& in,
                             const definition::FastWeights& start) { return ttt_inner_loop(shape, in, start); };
  if (config.inner == "mlp" || config.inner == "linear") return std::make_unique<TttMixer>(config, inner_loop);
  throw std::invalid_argument("make_mixer: no mixer is called \"" + config.inner + "\"");
}

}  // namespace longtake
