// `longtake studio`: longtake-studio goes on in the place of this program. Apart from it, as it needs Qt.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "app/commands.h"

namespace longtake {

int run_studio(const Context& context, const std::vector<std::string>& arguments) {
  constexpr char kName[] = "longtake-studio";
  const Settings& settings = context.settings;
  std::vector<std::string> all{kName};
  const auto pass_on = [&all](const char* option, const std::filesystem::path& value) {
    if (value.empty()) return;
    all.emplace_back(option);
    all.push_back(value.string());
  };
  pass_on("--model", settings.model);
  pass_on("--memory", settings.memory);
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& one : all) pointers.push_back(one.data());
  pointers.push_back(nullptr);

  std::error_code ec;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", ec).parent_path() / kName;
  execv(beside.c_str(), pointers.data());
  if (errno == ENOENT) execvp(kName, pointers.data());
  if (errno == ENOENT) {
    return context.fail(
        {ErrorKind::kUnexpected, fmt::format("there is no longtake-studio, neither as \"{}\" nor in PATH: "
                                             "it is built where Qt 6.4 is found (Debian: qt6-base-dev)",
                                             beside.string())});
  }
  return context.fail({ErrorKind::kUnexpected, fmt::format("cannot start longtake-studio: {}", std::strerror(errno))});
}

}  // namespace longtake
