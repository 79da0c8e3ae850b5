#include "app/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <vector>

namespace longtake {

Result<std::shared_ptr<spdlog::logger>> make_log(int verbosity, const std::filesystem::path& file) {
  constexpr std::size_t kFileBytes = 10u << 20;
  constexpr std::size_t kFiles = 3;

  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_pattern("longtake: %l: %v");
  terminal->set_level(verbosity < 0    ? spdlog::level::err
                      : verbosity == 0 ? spdlog::level::warn
                      : verbosity == 1 ? spdlog::level::info
                                       : spdlog::level::debug);
  std::vector<spdlog::sink_ptr> sinks{terminal};
  if (!file.empty()) {
    try {
      auto to_file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kFileBytes, kFiles);
      to_file->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
      to_file->set_level(spdlog::level::debug);
      sinks.push_back(std::move(to_file));
    } catch (const spdlog::spdlog_ex& e) {
      return Error{ErrorKind::kUsage, fmt::format("cannot write the log file \"{}\": {}", file.string(), e.what())};
    }
  }
  auto log = std::make_shared<spdlog::logger>("longtake", sinks.begin(), sinks.end());
  log->set_level(spdlog::level::debug);
  log->flush_on(spdlog::level::warn);
  return log;
}

}  // namespace longtake
