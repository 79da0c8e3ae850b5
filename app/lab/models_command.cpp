#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/exit_code.h"
#include "core/store/atomic_file.h"
#include "models/fresh_weights.h"
#include "models/model.h"

namespace longtake {

namespace fs = std::filesystem;

int run_models_verify(const Context& context) {
  auto path = context.model_path();
  if (!path) return context.fail(path.error());
  auto folder = verify_model(*path);  // hashes, then shapes and numbers
  if (!folder) return context.fail(folder.error());
  fmt::print("{}  {}  ok\n", folder->id(), path->string());
  return kExitDone;
}

int run_models_init(const Context& context, std::uint64_t seed) {
  const fs::path path = context.settings.inputs.front();
  ModelConfig config;
  config.name = fs::path(path / "").parent_path().filename().string();
  std::error_code ec;
  if (fs::exists(path / "config.json", ec)) {
    std::ifstream in(path / "config.json");
    const std::string text(std::istreambuf_iterator<char>(in), {});
    auto given = parse_model_config(text, (path / "config.json").string());
    if (!given) return context.fail(given.error());
    config = std::move(*given);
    config.trained = false;
  }
  auto encoder = Encoder::load(path / config.encoder_file);
  if (!encoder) return context.fail(encoder.error());
  const TensorFile stack = fresh_stack(config, seed, encoder->token_mean(), encoder->token_scale());
  if (const auto& recall = config.recall) {
    auto written = write_tensors(path / recall->file, fresh_recall(*recall, config.latent, seed));
    if (!written) return context.fail(written.error());
  }
  for (const auto& step :
       {write_tensors(path / config.stack_file, stack), write_file_atomically(path / "config.json", to_json(config)),
        write_model_sums(path, config)}) {
    if (!step) return context.fail(step.error());
  }
  fmt::print("{}: fresh weights from seed {}, {}\n", path.string(), seed, description(config));
  return kExitDone;
}

}  // namespace longtake
