#include <utility>

#include "models/model.h"
#include "models/net/stack_net.h"
#include "models/recall/recall_net.h"

namespace longtake {

Result<ModelFolder> verify_model(const std::filesystem::path& path) {
  auto folder = open_model_folder(path);
  if (!folder) return std::move(folder).error();
  const ModelConfig& config = folder->config;
  if (auto encoder = Encoder::load(folder->encoder()); !encoder) return std::move(encoder).error();
  auto stack = read_tensors(folder->stack());
  if (!stack) return std::move(stack).error();
  if (auto net = StackNet::load(config, *stack); !net) return std::move(net).error();
  if (config.recall) {
    auto recall = read_tensors(path / config.recall->file);
    if (!recall) return std::move(recall).error();
    if (auto net = RecallNet::load(*config.recall, config.latent, *recall); !net) return std::move(net).error();
  }
  if (const auto file = folder->shots()) {
    auto shots = read_tensors(*file);
    if (!shots) return std::move(shots).error();
    if (auto loaded = load_shots(*shots); !loaded) return std::move(loaded).error();
  }
  return folder;
}

}  // namespace longtake
