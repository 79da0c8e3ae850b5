#include "core/store/sha256.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

std::string hex_of(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

// The examples of FIPS 180-2.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const TempDir folder;
  for (const std::size_t size : {0u, 1u, (1u << 18) - 1, 1u << 18, (1u << 18) + 1, 600'000u}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 256);
    std::ofstream(folder / "a", std::ios::binary) << text;
    const auto digest = sha256_file(folder / "a");
    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, hex_of(text)) << size;
  }
}

TEST(Sha256, NamesTheFileThatCannotBeRead) {
  const TempDir folder;
  const auto absent = sha256_file(folder / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kModel);
  EXPECT_EQ(absent.error().message,
            "cannot read \"" + (folder / "absent").string() + "\": No such file or directory");
  EXPECT_FALSE(sha256_file(folder.path())) << "a folder has no contents";
}

}  // namespace
}  // namespace longtake
