#include "app/configuration.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace longtake {
namespace {

namespace fs = std::filesystem;

// Options of the program itself, which have no place in a file.
bool configurable(const CLI::Option& option) {
  const std::string name = option.get_single_name();
  return option.nonpositional() && name != "help" && name != "version" && name != "config";
}

std::vector<CLI::Option*> configurable_options(CLI::App& app) {
  std::vector<CLI::Option*> out;
  for (CLI::Option* option : app.get_options()) {
    if (configurable(*option)) out.push_back(option);
  }
  for (CLI::App* group : app.get_subcommands([](CLI::App* a) { return a->get_name().empty(); })) {
    for (CLI::Option* option : group->get_options()) {
      if (configurable(*option)) out.push_back(option);
    }
  }
  return out;
}

// Levenshtein's.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

// Numbers, truth values and texts as they would stand on a command line; a list is an option given several times.
bool texts_of(const toml::node& node, std::vector<std::string>& out) {
  if (const auto* list = node.as_array()) {
    return std::all_of(list->begin(), list->end(), [&](const toml::node& item) { return texts_of(item, out); });
  }
  if (const auto text = node.value_exact<std::string>()) {
    out.push_back(*text);
  } else if (const auto truth = node.value_exact<bool>()) {
    out.emplace_back(*truth ? "true" : "false");
  } else if (const auto whole = node.value_exact<std::int64_t>()) {
    out.push_back(std::to_string(*whole));
  } else if (const auto number = node.value_exact<double>()) {
    out.push_back(fmt::format("{}", *number));
  } else {
    return false;
  }
  return true;
}

Error wrong(const fs::path& file, std::size_t line, const std::string& what) {
  return {ErrorKind::kUsage, fmt::format("cannot use configuration \"{}\", line {}: {}", file.string(), line, what)};
}

Result<void> apply_file(const std::vector<CLI::Option*>& options, const fs::path& file,
                        std::vector<const CLI::Option*>& settled) {
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& e) {
    return wrong(file, e.source().begin.line, std::string(e.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::size_t line = node.source().begin.line;
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const CLI::Option* o) { return o->get_single_name() == name; });
    if (found == options.end()) {
      const auto nearest = std::min_element(options.begin(), options.end(), [&](const auto* a, const auto* b) {
        return edits_between(a->get_single_name(), name) < edits_between(b->get_single_name(), name);
      });
      return wrong(file, line, fmt::format("\"{}\" is not known; did you mean \"{}\"?", name,
                                           (*nearest)->get_single_name()));
    }
    CLI::Option* option = *found;
    if (std::find(settled.begin(), settled.end(), option) != settled.end()) continue;
    std::vector<std::string> texts;
    if (!texts_of(node, texts)) return wrong(file, line, fmt::format("\"{}\" has no value that makes sense", name));
    // A flag that is called --no-scene is switched on by `no-scene = true`.
    if (option->get_expected_min() == 0) {
      if (texts.size() != 1 || (texts[0] != "true" && texts[0] != "false")) {
        return wrong(file, line, fmt::format("\"{}\" is either true or false", name));
      }
      if (texts[0] == "false") continue;
      texts[0] = option->get_flag_value(name, "true");
    }
    try {
      for (const std::string& text : texts) option->add_result(text);
      option->run_callback();
    } catch (const CLI::Error& e) {
      return wrong(file, line, e.what());
    }
    settled.push_back(option);
  }
  return {};
}

}  // namespace

void name_environment_variables(CLI::App& app) {
  for (CLI::Option* option : configurable_options(app)) {
    std::string name = "LONGTAKE_" + option->get_single_name();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return c == '-' ? '_' : static_cast<char>(std::toupper(c));
    });
    option->envname(name);
  }
}

Result<void> apply_configuration(CLI::App& app, const fs::path& only) {
  // The first one to set an option wins, so files are read in falling order of weight.
  std::vector<fs::path> files;
  if (!only.empty()) {
    files.push_back(only);
  } else {
    const char* config = std::getenv("XDG_CONFIG_HOME");
    const char* home = std::getenv("HOME");
    if (config != nullptr && *config != '\0') {
      files.emplace_back(fs::path(config) / "longtake/config.toml");
    } else if (home != nullptr) {
      files.emplace_back(fs::path(home) / ".config/longtake/config.toml");
    }
    files.emplace_back("/etc/longtake/config.toml");
  }
  const std::vector<CLI::Option*> options = configurable_options(app);
  std::vector<const CLI::Option*> settled;
  for (const CLI::Option* option : options) {
    if (option->count() > 0) settled.push_back(option);
  }
  for (const fs::path& file : files) {
    std::error_code ec;
    if (!fs::is_regular_file(file, ec)) {
      if (only.empty()) continue;
      return Error{ErrorKind::kUsage, fmt::format("cannot read configuration \"{}\": no such file", file.string())};
    }
    if (auto done = apply_file(options, file, settled); !done) return done;
  }
  return {};
}

}  // namespace longtake
