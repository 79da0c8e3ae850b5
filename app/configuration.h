// Settings from outside the command line: /etc/longtake/config.toml < $XDG_CONFIG_HOME/longtake/config.toml <
// LONGTAKE_* in the environment < command line. A key is the long name of a common option: `fps = "12.5"`.
#pragma once

#include <filesystem>

#include "core/result.h"

namespace CLI {
class App;
}

namespace longtake {

// Lets every common option be set as LONGTAKE_NAME, with _ for -. Call before the command line is parsed.
void name_environment_variables(CLI::App& app);

// Fills in what neither command line nor environment has set. `only`, if not empty, is read instead of the usual
// files and has to exist. Errors: kUsage, with file and line; an unknown key comes with the one that was meant.
Result<void> apply_configuration(CLI::App& app, const std::filesystem::path& only);

}  // namespace longtake
