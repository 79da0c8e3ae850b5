#include "models/memory_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "core/store/archive.h"
#include "core/store/atomic_file.h"
#include "core/store/fixed_text.h"
#include "core/store/sealed_file.h"
#include "core/store/sha256.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr SealedKind kKind{"memory", "a memory file", "longtake-memory", kMemorySchema,
                           "it was written before memories kept landmarks: watch its videos again"};
constexpr std::size_t kHashDigits = 64;

// The label's members as they stand in the file.
struct StoredLabel {
  FixedText<MemoryLabel::kSourceBytes> source;
  FixedText<kHashDigits + 1> source_key;
  FixedText<kHashDigits + 1> settings_key;
  std::int64_t time_base_num = 1;
  std::int64_t time_base_den = 1;
  std::int64_t videos = 0;
  std::int64_t frames_before = 0;
  std::int64_t result_bytes = 0;

  template <class Archive>
  void archive(Archive& a) {
    a("source", source.bytes);
    a("source_key", source_key.bytes);
    a("settings_key", settings_key.bytes);
    a("time_base_num", time_base_num);
    a("time_base_den", time_base_den);
    a("videos", videos);
    a("frames_before", frames_before);
    a("result_bytes", result_bytes);
  }
};

Error damaged(const fs::path& path, std::string_view why) {
  return cannot_use(path, kKind, why);
}

}  // namespace

Result<void> write_memory(const fs::path& path, const MemoryLabel& label, const TensorFile& state) {
  TensorFile file = state;
  StoredLabel stored{FixedText<MemoryLabel::kSourceBytes>(label.source),
                     FixedText<kHashDigits + 1>(label.source_key),
                     FixedText<kHashDigits + 1>(label.settings_key),
                     label.time_base.num,
                     label.time_base.den,
                     label.videos,
                     label.frames_before,
                     label.result_bytes};
  StateWriter(file, "")("label", stored);
  file.metadata["kind"] = label.kind == MemoryKind::kMemory ? "memory" : "checkpoint";
  file.metadata["model"] = label.model_sha256;
  file.metadata["longtake"] = label.longtake;
  return write_file_atomically(path, seal(std::move(file), kKind));
}

Result<MemoryFile> read_memory(const fs::path& path) {
  auto file = read_sealed(path, kKind);
  if (!file) return std::move(file).error();
  StoredLabel stored;
  StateReader reader(*file, "");
  reader("label", stored);
  if (!reader.result()) return damaged(path, reader.result().error().message);

  MemoryFile out;
  out.label.kind = metadata_of(*file, "kind") == "checkpoint" ? MemoryKind::kCheckpoint : MemoryKind::kMemory;
  out.label.model_sha256 = metadata_of(*file, "model");
  out.label.longtake = metadata_of(*file, "longtake");
  out.label.source = stored.source.text();
  out.label.source_key = stored.source_key.text();
  out.label.settings_key = stored.settings_key.text();
  out.label.time_base = {stored.time_base_num, stored.time_base_den};
  out.label.videos = stored.videos;
  out.label.frames_before = stored.frames_before;
  out.label.result_bytes = stored.result_bytes;
  out.state = std::move(*file);
  out.state.metadata.clear();
  std::erase_if(out.state.tensors, [](const auto& item) { return item.first.starts_with("label."); });
  return out;
}

Result<void> require_model(const MemoryFile& memory, const fs::path& path, std::string_view model_sha256) {
  if (memory.label.model_sha256 == model_sha256) return {};
  return damaged(path, fmt::format("it belongs to model {}, not to {}", memory.label.model_sha256.substr(0, 12),
                                   model_sha256.substr(0, 12)));
}

std::string source_key(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec) || ec) return {};
  const std::uintmax_t size = fs::file_size(path, ec);
  std::ifstream in(path, std::ios::binary);
  if (ec || !in) return {};
  constexpr std::uintmax_t kPart = 1u << 20;
  std::string text = fmt::format("{}\n", size);
  std::vector<char> part(static_cast<std::size_t>(std::min(size, kPart)));
  in.read(part.data(), static_cast<std::streamsize>(part.size()));
  text.append(part.data(), part.size());
  in.seekg(static_cast<std::streamoff>(size - part.size()));
  in.read(part.data(), static_cast<std::streamsize>(part.size()));
  text.append(part.data(), part.size());
  return sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace longtake
