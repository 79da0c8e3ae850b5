// What is said to people: one line a message on standard error, and into --log-file if there is one.
#pragma once

#include <filesystem>
#include <memory>

#include "core/result.h"

namespace spdlog {
class logger;
}

namespace longtake {

// `verbosity`: -1 errors only, 0 errors and warnings, 1 also what is going on, 2 everything.
Result<std::shared_ptr<spdlog::logger>> make_log(int verbosity, const std::filesystem::path& file);

}  // namespace longtake
