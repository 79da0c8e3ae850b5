// State that can be saved: one function per class, used in both directions.
//
//   template <class Archive> void archive(Archive& a) { a("count", count_); a("ring", ring_); }
//
// StateWriter puts each member into a TensorFile under a dotted name; StateReader takes it out again.
// Everything has a fixed size, so a state of a given shape always fills the same number of bytes. A vector
// must have its final size before it is read: that size is what the file is held to.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

template <class T>
concept StateNumber = std::is_same_v<T, float> || std::is_same_v<T, double> ||
    std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint8_t>;

class StateWriter {
 public:
  StateWriter(TensorFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(std::string_view name, const T& member) {
    const std::string key = prefix_ + std::string(name);
    if constexpr (std::is_same_v<T, bool>) {
      const std::int64_t number = member ? 1 : 0;
      file_.tensors[key] = Tensor::of(std::span<const std::int64_t>(&number, 1), {1});
    } else if constexpr (StateNumber<T>) {
      file_.tensors[key] = Tensor::of(std::span<const T>(&member, 1), {1});
    } else if constexpr (requires { std::span(member); }) {
      const std::span values(member);
      file_.tensors[key] = Tensor::of(std::span<const typename T::value_type>(values),
                                      {static_cast<std::int64_t>(values.size())});
    } else {
      StateWriter inner(file_, key + ".");
      // archive() is not const because it serves both directions; a writer only reads.
      const_cast<T&>(member).archive(inner);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    }
  }

 private:
  TensorFile& file_;
  std::string prefix_;
};

class StateReader {
 public:
  StateReader(const TensorFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(std::string_view name, T& member) {
    if (!result_) return;  // the first failure is the one to report
    const std::string key = prefix_ + std::string(name);
    if constexpr (std::is_same_v<T, bool>) {
      std::int64_t number = 0;
      copy<std::int64_t>(key, {&number, 1});
      member = number != 0;
    } else if constexpr (StateNumber<T>) {
      copy<T>(key, {&member, 1});
    } else if constexpr (requires { std::span(member); }) {
      copy<typename T::value_type>(key, member);
    } else {
      StateReader inner(file_, key + ".");
      member.archive(inner);
      result_ = inner.result();
    }
  }

  const Result<void>& result() const noexcept { return result_; }

 private:
  template <class T>
  void copy(const std::string& key, std::span<T> into);

  const TensorFile& file_;
  std::string prefix_;
  Result<void> result_;
};

}  // namespace longtake
