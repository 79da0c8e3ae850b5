#include <stdexcept>

#include <ATen/ATen.h>

#include "models/baselines/rival_mixers.h"
#include "models/inner/inner_config.h"
#include "models/inner/inner_mixer.h"
#include "models/net/products.h"
#include "models/net/rows.h"
#include "models/net/ttt_mixer.h"
#include "models/ttt/ttt_function.h"

namespace longtake {

std::unique_ptr<Mixer> make_mixer(const ModelConfig& config) {
  if (inner::takes_general_loop(config)) return std::make_unique<inner::InnerMixer>(config);
  definition::Operations fast;
  fast.inner_loop = [](const TttShape& shape, const definition::InnerInputs& in, const definition::FastWeights& start) {
    return ttt_inner_loop(shape, in, start);
  };
  fast.linear = [](const at::Tensor& x, const at::Tensor& weight) { return linear_product(x, weight); };
  fast.turn = fast_turn;
  fast.layer_norm = [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
    return at::layer_norm(x, x.sizes().slice(x.dim() - 1), weight, bias, eps);
  };
  if (has_ttt_layers(config)) return std::make_unique<TttMixer>(config, fast);
  if (config.inner == "none") return no_mixer();
  if (config.inner == "gru") return gru_mixer(config);
  if (config.inner == "lstm") return lstm_mixer(config);
  if (config.inner == "rwkv") return rwkv_mixer(config);
  if (config.inner == "gla") return gla_mixer(config);
  if (config.inner == "mamba") return mamba_mixer(config);
  if (config.inner == "attention" || config.inner == "attention-window") return attention_mixer(config);
  throw std::invalid_argument("make_mixer: no mixer is called \"" + config.inner + "\"");
}

std::size_t state_bytes(const MixerState& state) {
  std::size_t bytes = 0;
  for (const at::Tensor& tensor : state.tensors) {
    bytes += static_cast<std::size_t>(tensor.numel() / tensor.size(0)) * tensor.element_size();
  }
  return bytes;
}

}  // namespace longtake
