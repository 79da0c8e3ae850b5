// Files that carry the SHA-256 of their own contents, so that one changed byte is noticed. Any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

// What a sealed file says of itself in its metadata, as `format` and `schema`.
struct SealedKind {
  std::string_view name;     // for messages: "memory"
  std::string_view article;  // likewise: "a memory file"
  std::string_view format;
  int schema = 1;
  std::string_view of_schema_1 = {};  // what else to say of a file of the first schema, if that is not this one
};

// The file's bytes with `format`, `schema` and `sha256` in its metadata: the hash over the file as it is with sixty-four
// zeros in the hash's own place.
std::vector<std::byte> seal(TensorFile file, const SealedKind& kind);

// Errors: kModel (missing, truncated, changed, of another kind or schema). Never alters the file.
Result<TensorFile> read_sealed(const std::filesystem::path& path, const SealedKind& kind);

// A kModel error that names the file.
Error cannot_use(const std::filesystem::path& path, const SealedKind& kind, std::string_view why);

std::string metadata_of(const TensorFile& file, std::string_view key);  // empty where there is none

}  // namespace longtake
