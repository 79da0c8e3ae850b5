// Text from file names, containers and labels may be anything. Results are UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace longtake {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// The start of a text: one whole character, or the bytes that one replacement character stands for.
struct Utf8Piece {
  std::size_t bytes = 0;
  bool valid = false;
};

// Takes off one piece of `text`, which must not be empty. A broken character counts up to the first byte that
// could not go on with it, as Unicode recommends ("maximal subpart"): overlong forms, surrogates and what
// lies beyond U+10FFFF are broken.
constexpr Utf8Piece next_utf8(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return {1, true};
  if (first < 0xC2 || first > 0xF4) return {1, false};

  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // Only the second byte has a narrower range, and only after these four first bytes.
  unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || at(i) < low || at(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

}  // namespace longtake
