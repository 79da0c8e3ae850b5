#include "core/store/archive.h"

#include <cstring>

namespace longtake {
namespace {

template <class T>
constexpr TensorType type_of() {
  if constexpr (std::is_same_v<T, float>) return TensorType::kF32;
  if constexpr (std::is_same_v<T, double>) return TensorType::kF64;
  if constexpr (std::is_same_v<T, std::int64_t>) return TensorType::kI64;
  return TensorType::kU8;
}

}  // namespace

template <class T>
void StateReader::copy(const std::string& key, std::span<T> into) {
  const auto found = file_.tensors.find(key);
  if (found == file_.tensors.end()) {
    result_ = Error{ErrorKind::kModel, "the saved state has no \"" + key + "\""};
    return;
  }
  const Tensor& tensor = found->second;
  if (tensor.type != type_of<T>() || tensor.bytes.size() != into.size_bytes()) {
    result_ = Error{ErrorKind::kModel,
                    "\"" + key + "\" in the saved state has another type or size than this model's"};
    return;
  }
  if (!into.empty()) std::memcpy(into.data(), tensor.bytes.data(), tensor.bytes.size());
}

template void StateReader::copy(const std::string&, std::span<float>);
template void StateReader::copy(const std::string&, std::span<double>);
template void StateReader::copy(const std::string&, std::span<std::int64_t>);
template void StateReader::copy(const std::string&, std::span<std::uint8_t>);

}  // namespace longtake
