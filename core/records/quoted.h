// What a person typed, fit to stand inside a sentence of an Error.
#pragma once

#include <string>
#include <string_view>

namespace longtake {

// In quotation marks, on one line, and cut after 60 bytes.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kMost))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (text.size() > kMost) out += "...";
  return out + '"';
}

}  // namespace longtake
