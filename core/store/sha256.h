// SHA-256, the name by which models, memories and fetched files are known.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "core/result.h"

namespace longtake {

// 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> bytes);

// The same of a file's contents, read in pieces. An Error of kind kModel if it cannot be read to its end.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace longtake
