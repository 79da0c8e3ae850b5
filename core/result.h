// What can go wrong in the world outside (no file, broken packet, no GPU) is a value, not an exception.
//
// A function that may fail so returns Result<T>: either a T or an Error with one full sentence that names what was
// tried, on what, and why it failed. A caller's own mistake (wrong extent, wrong order of calls) throws
// std::invalid_argument instead; see "Errors" in core/README.md.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace longtake {

// Says which part failed. The programs turn it into an exit code; nothing else looks at it.
enum class ErrorKind {
  kUnexpected,  // a bug, or writing a result failed
  kUsage,       // the command line or a setting makes no sense
  kInput,       // the input is missing, unreadable or without video
  kModel,       // a model, memory or checkpoint file is missing, damaged or of another model
  kDevice,      // the device asked for is not available
  kSource,      // a live source was lost and its retries are used up
  kStopped,     // somebody asked to stop
};

struct Error {
  ErrorKind kind = ErrorKind::kUnexpected;
  std::string message;  // one sentence, no full stop, no line break: cannot open "a.mp4": no video stream
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Asking for the side that is not there throws std::bad_variant_access.
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(held_); }
  Error&& error() && { return std::get<1>(std::move(held_)); }

 private:
  std::variant<T, Error> held_;
};

// A step that yields nothing but may fail: `if (auto done = write(x); !done) return std::move(done).error();`
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace longtake
