#include <stdexcept>

#include <ATen/ATen.h>

#include "models/net/products.h"
#include "models/net/rows.h"
#include "models/net/ttt_mixer.h"
#include "models/ttt/ttt_function.h"

namespace longtake {

std::unique_ptr<Mixer> make_mixer(const ModelConfig& config) {
  definition::Operations fast;
  fast.inner_loop = [](const TttShape& shape, const definition::InnerInputs& in, const definition::FastWeights& start) {
    return ttt_inner_loop(shape, in, start);
  };
  fast.linear = [](const at::Tensor& x, const at::Tensor& weight) { return linear_product(x, weight); };
  fast.turn = fast_turn;
  fast.layer_norm = [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
    return at::layer_norm(x, x.sizes().slice(x.dim() - 1), weight, bias, eps);
  };
  if (config.inner == "mlp" || config.inner == "linear") return std::make_unique<TttMixer>(config, fast);
  throw std::invalid_argument("make_mixer: no mixer is called \"" + config.inner + "\"");
}

}  // namespace longtake
