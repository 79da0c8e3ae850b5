#include "models/net/tensor_file.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/store/half.h"

namespace longtake {

Result<at::Tensor> tensor_of(const TensorFile& file, const std::string& name, const std::vector<std::int64_t>& shape) {
  auto values = file.floats(name, shape);
  if (!values) return std::move(values).error();
  for (const float value : *values) {
    if (!std::isfinite(value)) {
      return Error{ErrorKind::kModel, fmt::format("cannot use tensor \"{}\": it holds a number that is not finite", name)};
    }
  }
  return at::from_blob(values->data(), shape, at::kFloat).clone();
}

Tensor stored(const at::Tensor& tensor, TensorType type) {
  const at::Tensor from = tensor.detach().to(at::kFloat).contiguous();
  const std::span values(from.data_ptr<float>(), static_cast<std::size_t>(from.numel()));
  const std::vector<std::int64_t> shape = from.sizes().vec();
  if (type == TensorType::kF32) return Tensor::of(values, shape);
  if (type != TensorType::kF16) throw std::invalid_argument("stored: neither 16 nor 32 bits");
  Tensor out;
  out.type = type;
  out.shape = shape;
  out.bytes.resize(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = float_to_half(values[i]);
    std::memcpy(&out.bytes[i * 2], &half, sizeof half);
  }
  return out;
}

}  // namespace longtake
