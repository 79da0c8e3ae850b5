#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "core/store/atomic_file.h"
#include "models/fresh_weights.h"
#include "models/model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

std::string describe(const ModelConfig& config) {
  const std::string kind = !has_ttt_layers(config) ? config.inner : config.inner == "mlp" ? "TTT-MLP" : "TTT-Linear";
  return fmt::format("{} layers of {}, {} heads x {}, {} tokens a frame, {}", config.layers, kind, config.heads,
                     config.channels / config.heads, config.tokens, config.trained ? "trained" : "not trained");
}

}  // namespace

int run_models_list(const Context& context) {
  const auto folders = list_model_folders();
  if (folders.empty()) return context.fail({ErrorKind::kModel, "no model folder was found"});
  for (const fs::path& path : folders) {
    auto folder = open_model_folder(path);
    if (folder) {
      fmt::print("{}  {}  {}\n", folder->id(), path.string(), describe(folder->config));
    } else {
      fmt::print("{}  {}  {}\n", "(not usable)", path.string(), folder.error().message);
    }
  }
  return kExitDone;
}

int run_models_show(const Context& context) {
  auto path = context.model_path();
  if (!path) return context.fail(path.error());
  auto folder = open_model_folder(*path);
  if (!folder) return context.fail(folder.error());
  fmt::print("model    {}\nfolder   {}\nsha256   {}\nstack    {}\n", folder->id(), folder->path.string(),
             folder->sha256, describe(folder->config));
  std::error_code ec;
  std::vector<fs::path> weights{folder->encoder(), folder->stack()};
  if (const auto recall = folder->recall()) weights.push_back(*recall);
  for (const fs::path& file : weights) {
    fmt::print("weights  {}  {} bytes\n", file.filename().string(), fs::file_size(file, ec));
  }
  fmt::print("\n{}", to_json(folder->config));
  return kExitDone;
}

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
  for (const auto& step : {write_tensors(path / config.stack_file, stack),
                           write_file_atomically(path / "config.json", to_json(config)),
                           write_model_sums(path, config)}) {
    if (!step) return context.fail(step.error());
  }
  fmt::print("{}: fresh weights from seed {}, {}\n", path.string(), seed, describe(config));
  return kExitDone;
}

}  // namespace longtake
