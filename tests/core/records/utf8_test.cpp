#include "core/records/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace longtake {
namespace {

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Piece piece = next_utf8(text);
    out += piece.valid ? text.substr(0, piece.bytes) : "?";
    text.remove_prefix(piece.bytes);
  }
  return out;
}

std::string encoded(unsigned code) {
  std::string out;
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    }
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  }
  out += static_cast<char>(0x80 | (code & 0x3F));
  return out;
}

TEST(Utf8, TakesEveryCharacterButSurrogates) {
  for (unsigned code = 0; code < 0x110000; ++code) {
    const std::string text = encoded(code);
    const Utf8Piece piece = next_utf8(text);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    ASSERT_EQ(piece.valid, !surrogate) << std::hex << code;
    ASSERT_TRUE(surrogate || piece.bytes == text.size()) << std::hex << code;
  }
}

// The example of the Unicode standard, table 3-8, and its neighbours 3-9 to 3-11.
TEST(Utf8, CountsBrokenCharactersAsUnicodeRecommends) {
  EXPECT_EQ(repaired("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), "????????A");
  EXPECT_EQ(repaired("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), "????????A");
  EXPECT_EQ(repaired("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), "?????A??B");
  EXPECT_EQ(repaired("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "????A");
}

TEST(Utf8, DoesNotReadBeyondTheEnd) {
  for (const std::string_view whole : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xAC"}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {  // what would make it whole lies just behind
      const Utf8Piece piece = next_utf8(whole.substr(0, size));
      EXPECT_FALSE(piece.valid);
      EXPECT_EQ(piece.bytes, size);
    }
  }
}

}  // namespace
}  // namespace longtake
