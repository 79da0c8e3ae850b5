// Reading and writing safetensors files: 8 bytes of header length, a JSON header, then the tensors' bytes.
//
// The reader trusts nothing: lengths, offsets, shapes, types and overlaps are checked before a byte is used,
// sizes are bounded, and no code can be in such a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace longtake {

enum class TensorType { kF16, kF32, kF64, kI64, kU8 };

std::size_t size_in_bytes(TensorType type) noexcept;

// A tensor in memory: little endian, C order, contiguous.
struct Tensor {
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;  // empty: a scalar
  std::vector<std::byte> bytes;

  std::int64_t count() const noexcept;  // elements

  static Tensor of(std::span<const float> values, std::vector<std::int64_t> shape);
  static Tensor of(std::span<const double> values, std::vector<std::int64_t> shape);
  static Tensor of(std::span<const std::int64_t> values, std::vector<std::int64_t> shape);
  static Tensor of(std::span<const std::uint8_t> values, std::vector<std::int64_t> shape);
};

// A whole file. Names and metadata are written in sorted order, so equal contents give equal bytes.
struct TensorFile {
  std::map<std::string, Tensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;

  bool contains(std::string_view name) const { return tensors.find(name) != tensors.end(); }

  // Copies a tensor out as numbers. kF16 widens to float. Fails (kModel) if it is absent or has another shape
  // or type. A shape of {-1} accepts any one-dimensional extent.
  Result<std::vector<float>> floats(std::string_view name, std::vector<std::int64_t> shape) const;
  Result<std::vector<double>> doubles(std::string_view name, std::vector<std::int64_t> shape) const;
  Result<std::vector<std::int64_t>> integers(std::string_view name, std::vector<std::int64_t> shape) const;
};

inline constexpr std::uint64_t kMaxTensorHeaderBytes = 16u << 20;
inline constexpr std::uint64_t kMaxTensorFileBytes = 4ull << 30;

Result<TensorFile> parse_tensors(std::span<const std::byte> file, std::string_view name_for_messages);
Result<TensorFile> read_tensors(const std::filesystem::path& path);
std::vector<std::byte> serialize_tensors(const TensorFile& file);
// Through core/store/atomic_file.h: either the whole new file stands there afterwards or the old one does.
Result<void> write_tensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace longtake
