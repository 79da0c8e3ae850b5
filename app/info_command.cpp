#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "models/model_folder.h"

namespace longtake {

int run_info(const Context& context) {
  nlohmann::ordered_json out;
  out["schema"] = 1;
  out["command"] = "info";
  out["machine"] = describe_machine();
  out["versions"] = describe_versions();
  auto path = context.model_path();
  auto folder = path ? open_model_folder(*path) : Result<ModelFolder>(path.error());
  if (folder) {
    out["model"] = {{"id", folder->id()}, {"folder", folder->path.string()}, {"trained", folder->config.trained}};
  } else {
    out["model"] = nullptr;
  }
  if (context.settings.json) {
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  for (const char* part : {"versions", "machine"}) {
    for (const auto& [key, value] : out[part].items()) {
      fmt::print("{:<16} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  if (folder) {
    fmt::print("{:<16} {} ({}, {})\n", "model", folder->id(), folder->path.string(),
               folder->config.trained ? "trained" : "not trained");
  } else {
    fmt::print("{:<16} none: {}\n", "model", folder.error().message);
  }
  return kExitDone;
}

}  // namespace longtake
