// Reading .npz files: a zip archive of numpy arrays.
//
// Only what numpy writes for plain arrays: stored or deflated members, format 1.0 headers, little endian, C
// order, f4, f8, i8 and text. The file is not trusted: every size is checked and bounded before memory is
// taken for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace longtake {

inline constexpr std::uint64_t kMaxNpzBytes = 256u << 20;  // of the file, and of all its arrays together
inline constexpr std::size_t kMaxNpzMembers = 4096;

struct NpzArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;  // f4, f8 and i8 all fit in a double as far as golden files use them
  std::string text;            // of a text array with one element; `values` is empty then
  bool is_single = false;      // kept as f4: its numbers are exact in float
};

using NpzFile = std::map<std::string, NpzArray, std::less<>>;  // names without .npy

// Errors are kInput and name `name`.
Result<NpzFile> parse_npz(std::span<const std::byte> file, std::string_view name);
Result<NpzFile> read_npz(const std::filesystem::path& path);

}  // namespace longtake
