#include "core/store/sealed_file.h"

#include <fmt/format.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "core/store/sha256.h"

namespace longtake {

std::vector<std::byte> seal(TensorFile file, const SealedKind& kind) {
  constexpr std::size_t kHashDigits = 64;
  file.metadata["format"] = kind.format;
  file.metadata["schema"] = std::to_string(kind.schema);
  file.metadata["sha256"] = std::string(kHashDigits, '0');
  const std::string hash = sha256_hex(serialize_tensors(file));
  file.metadata["sha256"] = hash;
  return serialize_tensors(file);
}

Result<TensorFile> read_sealed(const std::filesystem::path& path, const SealedKind& kind) {
  const auto refuse = [&](std::string_view why) { return cannot_use(path, kind, why); };
  auto file = read_tensors(path);
  if (!file) return std::move(file).error();
  if (metadata_of(*file, "format") != kind.format) return refuse(fmt::format("it is not {} of Longtake", kind.article));
  if (const std::string schema = metadata_of(*file, "schema"); schema != std::to_string(kind.schema)) {
    const std::string_view more = schema == "1" ? kind.of_schema_1 : "";
    return refuse(fmt::format("its schema is {}, this program reads {}{}{}", schema, kind.schema, more.empty() ? "" : "; ", more));
  }
  // Writing it again must give the very bytes that were read.
  const std::vector<std::byte> again = seal(*file, kind);
  std::error_code ec;
  if (std::filesystem::file_size(path, ec) != again.size() || ec) return refuse("it is damaged (its length is wrong)");
  std::vector<std::byte> bytes(again.size());
  std::ifstream in(path, std::ios::binary);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in || bytes != again) return refuse("it is damaged (its contents do not match its checksum)");
  return file;
}

Error cannot_use(const std::filesystem::path& path, const SealedKind& kind, std::string_view why) {
  return {ErrorKind::kModel, fmt::format("cannot use {} \"{}\": {}", kind.name, path.string(), why)};
}

std::string metadata_of(const TensorFile& file, std::string_view key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

}  // namespace longtake
