#include "models/memory_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

MemoryLabel label() {
  MemoryLabel out;
  out.model_sha256 = std::string(64, 'a');
  out.longtake = "0.1.0";
  out.source = "clip.mp4";
  out.source_key = std::string(64, 'b');
  out.time_base = {1, 90000};
  out.videos = 2;
  out.frames_before = 1234567;
  return out;
}

TensorFile state() {
  TensorFile file;
  const std::vector<float> weights{1.5F, -2.25F, 1e-30F};
  const std::vector<std::int64_t> count{42};
  file.tensors["stack.weights"] = Tensor::of(std::span<const float>(weights), {3});
  file.tensors["position.frames"] = Tensor::of(std::span<const std::int64_t>(count), {1});
  return file;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(MemoryFile, ComesBackAsItWasWritten) {
  const TempDir folder;
  ASSERT_TRUE(write_memory(folder / "m.ltm", label(), state()).ok());
  const auto memory = read_memory(folder / "m.ltm");
  ASSERT_TRUE(memory) << memory.error().message;
  EXPECT_EQ(memory->label.source, "clip.mp4");
  EXPECT_EQ(memory->label.source_key, std::string(64, 'b'));
  EXPECT_EQ(memory->label.frames_before, 1234567);
  EXPECT_EQ(memory->label.time_base.den, 90000);
  EXPECT_EQ(memory->state.tensors.size(), 2U);
  EXPECT_EQ(memory->state.floats("stack.weights", {3}).value(), (std::vector<float>{1.5F, -2.25F, 1e-30F}));
}

TEST(MemoryFile, HasOneSizeWhateverItHasSeen) {
  const TempDir folder;
  MemoryLabel other = label();
  other.source = std::string(1000, 'x');
  other.frames_before = 1;
  other.source_key.clear();
  ASSERT_TRUE(write_memory(folder / "a.ltm", label(), state()).ok());
  ASSERT_TRUE(write_memory(folder / "b.ltm", other, state()).ok());
  EXPECT_EQ(bytes_of(folder / "a.ltm").size(), bytes_of(folder / "b.ltm").size());
}

TEST(MemoryFile, AnyChangedByteIsRefusedAndTheFileIsLeftAlone) {
  const TempDir folder;
  ASSERT_TRUE(write_memory(folder / "m.ltm", label(), state()).ok());
  const std::string good = bytes_of(folder / "m.ltm");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    write_bytes(folder / "bad.ltm", bad);
    const auto memory = read_memory(folder / "bad.ltm");
    ASSERT_FALSE(memory) << "byte " << i << " of " << good.size();
    ASSERT_EQ(memory.error().kind, ErrorKind::kModel);
    ASSERT_EQ(bytes_of(folder / "bad.ltm"), bad);
  }
}

TEST(MemoryFile, AnyTruncationIsRefused) {
  const TempDir folder;
  ASSERT_TRUE(write_memory(folder / "m.ltm", label(), state()).ok());
  const std::string good = bytes_of(folder / "m.ltm");
  for (std::size_t length = 0; length < good.size(); length += 7) {
    write_bytes(folder / "bad.ltm", good.substr(0, length));
    ASSERT_FALSE(read_memory(folder / "bad.ltm")) << length << " bytes";
  }
  write_bytes(folder / "bad.ltm", good + " ");
  EXPECT_FALSE(read_memory(folder / "bad.ltm"));
}

TEST(MemoryFile, OfAnotherModelIsRefusedByName) {
  const TempDir folder;
  ASSERT_TRUE(write_memory(folder / "m.ltm", label(), state()).ok());
  const auto memory = read_memory(folder / "m.ltm");
  ASSERT_TRUE(memory);
  EXPECT_TRUE(require_model(*memory, "m.ltm", std::string(64, 'a')).ok());
  const auto other = require_model(*memory, "m.ltm", std::string(64, 'c'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kModel);
  EXPECT_NE(other.error().message.find("cccccccccccc"), std::string::npos);
}

TEST(MemoryFile, AMissingFileAndAnotherSafetensorsFileAreRefused) {
  const TempDir folder;
  EXPECT_EQ(read_memory(folder / "none.ltm").error().kind, ErrorKind::kModel);
  ASSERT_TRUE(write_tensors(folder / "weights.safetensors", state()).ok());
  EXPECT_EQ(read_memory(folder / "weights.safetensors").error().kind, ErrorKind::kModel);
}

TEST(SourceKey, TellsContentsApartAndNotNames) {
  const TempDir folder;
  write_bytes(folder / "a", std::string(3 << 20, 'a'));
  write_bytes(folder / "b", std::string(3 << 20, 'a'));
  std::string changed(3 << 20, 'a');
  changed.back() = 'z';
  write_bytes(folder / "c", changed);
  EXPECT_EQ(source_key(folder / "a"), source_key(folder / "b"));
  EXPECT_NE(source_key(folder / "a"), source_key(folder / "c"));
  EXPECT_EQ(source_key(folder.path()), "");
  EXPECT_EQ(source_key("/dev/null"), "");
}

}  // namespace
}  // namespace longtake
