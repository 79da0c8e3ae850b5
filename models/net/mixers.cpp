#include <stdexcept>

#include "models/net/products.h"
#include "models/net/ttt_mixer.h"
#include "models/ttt/ttt_function.h"

namespace longtake {

std::unique_ptr<Mixer> make_mixer(const ModelConfig& config) {
  definition::Operations fast;
  fast.inner_loop = [](const TttShape& shape, const definition::InnerInputs& in, const definition::FastWeights& start) {
    return ttt_inner_loop(shape, in, start);
  };
  fast.linear = [](const at::Tensor& x, const at::Tensor& weight) { return linear_product(x, weight); };
  if (config.inner == "mlp" || config.inner == "linear") return std::make_unique<TttMixer>(config, fast);
  throw std::invalid_argument("make_mixer: no mixer is called \"" + config.inner + "\"");
}

}  // namespace longtake
