// Reading named tensors as weights: the type follows T, and what is not finite is refused.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "core/store/safetensors.h"
#include "models/ttt/parts.h"

namespace longtake {

// Reads one tensor after the other below a prefix and keeps the first failure, so that a loader reads like a
// list.
template <class T>
class TensorReader {
 public:
  TensorReader(const TensorFile& file, std::string_view prefix) : file_(file), prefix_(prefix) {}

  // Empty after a failure.
  std::vector<T> read(std::string_view name, std::vector<std::int64_t> shape) {
    auto values = read_any(name, std::move(shape));
    if (std::all_of(values.begin(), values.end(), [](T value) { return std::isfinite(value); }))
      return values;
    fail({ErrorKind::kModel,
          "cannot use tensor \"" + prefix_ + std::string(name) + "\": it holds a number that is not finite"});
    return {};
  }

  // The same, finite or not.
  std::vector<T> read_any(std::string_view name, std::vector<std::int64_t> shape) {
    if (failed_) return {};
    const std::string full = prefix_ + std::string(name);
    auto values = [&] {
      if constexpr (std::is_same_v<T, float>) {
        return file_.floats(full, std::move(shape));
      } else {
        return file_.doubles(full, std::move(shape));
      }
    }();
    if (values) return std::move(*values);
    fail(std::move(values).error());
    return {};
  }

  void fail(Error error) {
    if (failed_) return;
    failed_ = true;
    error_ = std::move(error);
  }

  bool failed() const { return failed_; }
  const Error& error() const { return error_; }

 private:
  const TensorFile& file_;
  std::string prefix_;
  bool failed_ = false;
  Error error_;
};

// [rows][columns] → [columns][rows].
template <class T>
AlignedVector<T> transposed(const std::vector<T>& from, std::size_t rows, std::size_t columns) {
  AlignedVector<T> to(from.size());
  if (from.size() != rows * columns) return to;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
  return to;
}

// `name`.weight [out][in], and `name`.bias [out] if wanted.
template <class T>
Dense<T> read_dense(TensorReader<T>& reader, const std::string& name, int in, int out, bool bias);
// `name`.weight [C][1][taps] and `name`.bias [C].
template <class T>
DepthwiseConv<T> read_conv(TensorReader<T>& reader, const std::string& name, int width, int taps);

}  // namespace longtake
