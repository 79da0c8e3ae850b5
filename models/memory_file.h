// Memory files (.ltm) and checkpoints: one safetensors file that holds all that was learned while watching.
//
// The size is fixed for a given model: every text in it has a fixed length, every list a fixed number of places. The
// file carries the SHA-256 of its own contents, so that one changed byte is noticed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/pipeline/pipeline.h"
#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

inline constexpr int kMemorySchema = 2;  // 1 had no landmarks

enum class MemoryKind { kMemory, kCheckpoint };

// What a memory says about itself beside its state.
struct MemoryLabel {
  MemoryKind kind = MemoryKind::kMemory;
  std::string model_sha256;   // the model it belongs to
  std::string longtake;       // version of the program that wrote it
  std::string source;         // name of the last video watched, cut to kSourceBytes
  std::string source_key;     // identity of its contents, hex, see source_key(); empty for pipes and streams
  std::string settings_key;   // SHA-256 of the settings that change results
  Rational time_base{1, 1};   // of the last video
  std::int64_t videos = 0;    // watched one after the other
  std::int64_t frames_before = 0;   // watched in the videos before the last one
  std::int64_t result_bytes = 0;    // checkpoint: length of the result file that belongs to it

  static constexpr int kSourceBytes = 256;
};

struct MemoryFile {
  MemoryLabel label;
  TensorFile state;  // of the analyzer, the decider and the position, see run_pipeline()
};

// Errors: kUnexpected (cannot be written). The old file stays until the new one is whole.
Result<void> write_memory(const std::filesystem::path& path, const MemoryLabel& label, const TensorFile& state);

// Errors: kModel (missing, truncated, changed, no memory at all). Never alters the file.
Result<MemoryFile> read_memory(const std::filesystem::path& path);

// kModel if the memory was made with another model.
Result<void> require_model(const MemoryFile& memory, const std::filesystem::path& path, std::string_view model_sha256);

// Identity of a file by size and contents (the first and last MiB): 64 hex digits; empty for anything but a regular file.
std::string source_key(const std::filesystem::path& path);

}  // namespace longtake
