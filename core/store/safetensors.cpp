#include "core/store/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/atomic_file.h"
#include "core/store/half.h"
#include "core/store/safetensors_header.h"

namespace longtake {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as they stand in the file");

constexpr std::uint64_t kLengthBytes = 8;

Error refuse(std::string_view name, const std::string& reason) {
  return Error{ErrorKind::kModel, "cannot read tensors from \"" + std::string(name) + "\": " + reason};
}

std::uint64_t header_length(std::span<const std::byte, kLengthBytes> first) {
  std::uint64_t length = 0;
  std::memcpy(&length, first.data(), kLengthBytes);
  return length;
}

// Empty if a header of this length can stand in a file of this size.
std::string reason_against_lengths(std::uint64_t file_bytes, std::uint64_t header_bytes) {
  if (file_bytes > kMaxTensorFileBytes)
    return "it is larger than " + std::to_string(kMaxTensorFileBytes) + " bytes";
  if (header_bytes > kMaxTensorHeaderBytes || header_bytes > file_bytes - kLengthBytes) {
    return "its header claims " + std::to_string(header_bytes) + " bytes of a file of " +
           std::to_string(file_bytes);
  }
  return "";
}

// Fills the tensors by asking `copy(begin, bytes)` for each piece of the data, in the order of the file.
template <class Copy>
bool take_tensors(TensorHeader&& header, TensorFile& file, Copy copy) {
  file.metadata = std::move(header.metadata);
  for (TensorPlace& place : header.places) {
    Tensor& tensor = file.tensors[std::move(place.name)];
    tensor.type = place.type;
    tensor.shape = std::move(place.shape);
    tensor.bytes.resize(place.end - place.begin);
    if (!copy(place.begin, std::span(tensor.bytes))) return false;
  }
  return true;
}

template <class T>
Tensor tensor_of(TensorType type, std::span<const T> values, std::vector<std::int64_t> shape) {
  Tensor tensor{type, std::move(shape), {}};
  if (tensor.count() != static_cast<std::int64_t>(values.size())) {
    throw std::invalid_argument("Tensor::of: the shape does not hold as many values as are given");
  }
  const std::span bytes = std::as_bytes(values);
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += extent < 0 ? "any" : std::to_string(extent);
  }
  return text + "]";
}

bool fits(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& wanted) {
  return std::ranges::equal(shape, wanted,
                            [](std::int64_t has, std::int64_t wants) { return wants < 0 || has == wants; });
}

// The tensor if it is there in the wanted shape and one of the wanted types.
Result<const Tensor*> find_tensor(const TensorFile& file, std::string_view name,
                                  const std::vector<std::int64_t>& shape,
                                  std::initializer_list<TensorType> types) {
  const std::string quoted = fmt::format("\"{}\"", name);
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) return Error{ErrorKind::kModel, "there is no tensor " + quoted};
  const Tensor& tensor = found->second;
  if (!fits(tensor.shape, shape)) {
    return Error{ErrorKind::kModel, "tensor " + quoted + " has the shape " + text_of(tensor.shape) +
                                        " instead of " + text_of(shape)};
  }
  if (std::ranges::find(types, tensor.type) == types.end()) {
    return Error{ErrorKind::kModel, "tensor " + quoted + " holds another type of number than is needed"};
  }
  return &tensor;
}

template <class T>
std::vector<T> copy_out(const Tensor& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

}  // namespace

std::size_t size_in_bytes(TensorType type) noexcept {
  switch (type) {
    case TensorType::kF16:
      return 2;
    case TensorType::kF32:
      return 4;
    case TensorType::kF64:
    case TensorType::kI64:
      return 8;
    case TensorType::kU8:
      return 1;
  }
  return 0;
}

std::int64_t Tensor::count() const noexcept {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

Tensor Tensor::of(std::span<const float> values, std::vector<std::int64_t> shape) {
  return tensor_of(TensorType::kF32, values, std::move(shape));
}
Tensor Tensor::of(std::span<const double> values, std::vector<std::int64_t> shape) {
  return tensor_of(TensorType::kF64, values, std::move(shape));
}
Tensor Tensor::of(std::span<const std::int64_t> values, std::vector<std::int64_t> shape) {
  return tensor_of(TensorType::kI64, values, std::move(shape));
}
Tensor Tensor::of(std::span<const std::uint8_t> values, std::vector<std::int64_t> shape) {
  return tensor_of(TensorType::kU8, values, std::move(shape));
}

Result<std::vector<float>> TensorFile::floats(std::string_view name, std::vector<std::int64_t> shape) const {
  auto tensor = find_tensor(*this, name, shape, {TensorType::kF32, TensorType::kF16});
  if (!tensor) return std::move(tensor).error();
  if ((*tensor)->type == TensorType::kF32) return copy_out<float>(**tensor);
  const std::vector<std::uint16_t> halves = copy_out<std::uint16_t>(**tensor);
  std::vector<float> values(halves.size());
  std::ranges::transform(halves, values.begin(), half_to_float);
  return values;
}

Result<std::vector<double>> TensorFile::doubles(std::string_view name,
                                                std::vector<std::int64_t> shape) const {
  auto tensor = find_tensor(*this, name, shape, {TensorType::kF64});
  if (!tensor) return std::move(tensor).error();
  return copy_out<double>(**tensor);
}

Result<std::vector<std::int64_t>> TensorFile::integers(std::string_view name,
                                                       std::vector<std::int64_t> shape) const {
  auto tensor = find_tensor(*this, name, shape, {TensorType::kI64});
  if (!tensor) return std::move(tensor).error();
  return copy_out<std::int64_t>(**tensor);
}

Result<TensorFile> parse_tensors(std::span<const std::byte> file, std::string_view name_for_messages) {
  if (file.size() < kLengthBytes) return refuse(name_for_messages, "it is too short to have a header");
  const std::uint64_t header_bytes = header_length(file.first<kLengthBytes>());
  if (std::string reason = reason_against_lengths(file.size(), header_bytes); !reason.empty()) {
    return refuse(name_for_messages, reason);
  }
  const std::span text = file.subspan(kLengthBytes, header_bytes);
  const std::span data = file.subspan(kLengthBytes + header_bytes);
  auto header = parse_tensor_header({reinterpret_cast<const char*>(text.data()), text.size()}, data.size());
  if (!header) return refuse(name_for_messages, header.error().message);

  TensorFile tensors;
  take_tensors(std::move(*header), tensors, [data](std::uint64_t begin, std::span<std::byte> into) {
    std::ranges::copy(data.subspan(begin, into.size()), into.begin());
    return true;
  });
  return tensors;
}

// Reads each tensor straight to where it stays, so that a large file is in memory only once.
Result<TensorFile> read_tensors(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code code;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, code);
  if (code) return refuse(name, code.message());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return refuse(name, std::generic_category().message(errno));

  const auto read = [&stream](auto&& into) {
    return static_cast<bool>(
        stream.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size())));
  };
  std::array<std::byte, kLengthBytes> first{};
  if (file_bytes < kLengthBytes || !read(first)) return refuse(name, "it is too short to have a header");
  const std::uint64_t header_bytes = header_length(first);
  if (std::string reason = reason_against_lengths(file_bytes, header_bytes); !reason.empty()) {
    return refuse(name, reason);
  }
  std::string text(header_bytes, '\0');
  if (!read(text)) return refuse(name, "its header could not be read");
  auto header = parse_tensor_header(text, file_bytes - kLengthBytes - header_bytes);
  if (!header) return refuse(name, header.error().message);

  TensorFile tensors;
  const bool whole = take_tensors(std::move(*header), tensors,
                                  [&read](std::uint64_t, std::span<std::byte> into) { return read(into); });
  if (!whole) return refuse(name, "it became shorter while it was read");
  return tensors;
}

std::vector<std::byte> serialize_tensors(const TensorFile& file) {
  // Numbers of many bytes come first, so that each tensor starts at a multiple of its number's size and can
  // be used where it stands by programs that map the file.
  std::vector<std::pair<const std::string*, const Tensor*>> order;
  for (const auto& [name, tensor] : file.tensors) order.emplace_back(&name, &tensor);
  std::ranges::stable_sort(order, std::greater<>(),
                           [](const auto& item) { return size_in_bytes(item.second->type); });

  TensorHeader header{{}, file.metadata};
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : order) {
    if (std::ranges::any_of(tensor->shape, [](std::int64_t extent) { return extent < 0; }) ||
        static_cast<std::uint64_t>(tensor->count()) * size_in_bytes(tensor->type) != tensor->bytes.size()) {
      throw std::invalid_argument("serialize_tensors: \"" + *name +
                                  "\" has not as many bytes as its shape needs");
    }
    header.places.push_back({*name, tensor->type, tensor->shape, end, end + tensor->bytes.size()});
    end = header.places.back().end;
  }
  const std::string text = tensor_header_json(header);
  const std::uint64_t header_bytes = text.size();
  const std::span length = std::as_bytes(std::span(&header_bytes, 1));
  const std::span json = std::as_bytes(std::span(text));

  std::vector<std::byte> bytes(length.size() + json.size() + end);
  auto into = std::ranges::copy(length, bytes.begin()).out;
  into = std::ranges::copy(json, into).out;
  for (const auto& [name, tensor] : order) into = std::ranges::copy(tensor->bytes, into).out;
  return bytes;
}

Result<void> write_tensors(const std::filesystem::path& path, const TensorFile& file) {
  return write_file_atomically(path, serialize_tensors(file));
}

}  // namespace longtake
