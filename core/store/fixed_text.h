// Text in a fixed number of bytes, zero-padded, for files that must not grow with a name.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace longtake {

// Fills `into` with as much of `text` as leaves a zero at the end; cut between characters of UTF-8, not inside one.
inline void put_fixed_text(std::string_view text, std::span<std::uint8_t> into) {
  std::size_t n = into.empty() ? 0 : std::min(text.size(), into.size() - 1);
  while (n > 0 && n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80U) --n;
  std::fill(std::copy_n(text.begin(), n, into.begin()), into.end(), std::uint8_t{0});
}

inline std::string fixed_text(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), 0)};
}

template <std::size_t N>
struct FixedText {
  std::array<std::uint8_t, N> bytes{};

  FixedText() = default;
  explicit FixedText(std::string_view text) { put_fixed_text(text, bytes); }
  std::string text() const { return fixed_text(bytes); }
};

}  // namespace longtake
