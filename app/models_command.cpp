#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/exit_code.h"
#include "models/model_folder.h"

namespace longtake {

namespace fs = std::filesystem;

int run_models_list(const Context& context) {
  const auto folders = list_model_folders();
  if (folders.empty()) return context.fail({ErrorKind::kModel, "no model folder was found"});
  for (const fs::path& path : folders) {
    auto folder = open_model_folder(path);
    if (folder) {
      fmt::print("{}  {}  {}\n", folder->id(), path.string(), description(folder->config));
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
             folder->sha256, description(folder->config));
  std::error_code ec;
  std::vector<fs::path> weights{folder->encoder(), folder->stack()};
  if (const auto recall = folder->recall()) weights.push_back(*recall);
  for (const fs::path& file : weights) {
    fmt::print("weights  {}  {} bytes\n", file.filename().string(), fs::file_size(file, ec));
  }
  fmt::print("\n{}", to_json(folder->config));
  return kExitDone;
}

}  // namespace longtake
