#include "models/labels/label_set.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

LabelExample example(std::string name, float value, std::size_t frames = 2) {
  LabelExample out{std::move(name), "clip.mp4", std::string(64, 'b'), 1.5, 2.5, {}};
  out.samples.assign(frames * label_width(), value);
  return out;
}

LabelSet set() { return {std::string(64, 'a'), {example("walk", 0.5F), example("sit, \"down\"", -0.25F, 16)}}; }

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(LabelSet, ComesBackAsItWasWritten) {
  const TempDir folder;
  ASSERT_TRUE(write_label_set(folder / "f", set()).ok());
  const auto back = read_label_set(folder / "f", std::string(64, 'a'));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->examples, set().examples);
  EXPECT_EQ(back->names(), (std::vector<std::string>{"walk", "sit, \"down\""}));
  EXPECT_EQ(back->sha256.size(), 64U);
}

TEST(LabelSet, AnEmptyOneComesBackToo) {
  const TempDir folder;
  ASSERT_TRUE(write_label_set(folder / "f", {std::string(64, 'a'), {}}).ok());
  const auto back = read_label_set(folder / "f", "");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->examples.empty());
}

TEST(LabelSet, AnyChangedByteAndAnyCutIsNoticedAndLeftAlone) {
  const TempDir folder;
  ASSERT_TRUE(write_label_set(folder / "f", set()).ok());
  const std::string whole = bytes_of(folder / "f");
  for (std::size_t at = 0; at < whole.size(); at += at < 2000 ? 1 : 977) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x11);
    write_bytes(folder / "f", changed);
    const auto back = read_label_set(folder / "f", "");
    ASSERT_FALSE(back) << "byte " << at;
    ASSERT_EQ(back.error().kind, ErrorKind::kModel) << "byte " << at;
    ASSERT_FALSE(change_label_set(folder / "f", set()).ok());
    ASSERT_EQ(bytes_of(folder / "f"), changed);
  }
  for (std::size_t length = 0; length < whole.size(); length += length < 1000 ? 7 : 991) {
    write_bytes(folder / "f", whole.substr(0, length));
    ASSERT_EQ(read_label_set(folder / "f", "").error().kind, ErrorKind::kModel) << length << " bytes";
  }
  write_bytes(folder / "f", whole + "x");
  EXPECT_EQ(read_label_set(folder / "f", "").error().kind, ErrorKind::kModel);
}

TEST(LabelSet, OfAnotherEncoderIsRefused) {
  const TempDir folder;
  ASSERT_TRUE(write_label_set(folder / "f", set()).ok());
  const auto back = read_label_set(folder / "f", std::string(64, 'c'));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::kModel);
  EXPECT_NE(back.error().message.find("encoder aaaaaaaaaaaa, not by cccccccccccc"), std::string::npos);
}

TEST(LabelSet, UndoBringsTheBytesBack) {
  const TempDir folder;
  LabelSet one = set();
  ASSERT_TRUE(change_label_set(folder / "f", one).ok());
  const std::string before = bytes_of(folder / "f");
  one.examples.push_back(example("run", 1));
  ASSERT_TRUE(change_label_set(folder / "f", one).ok());
  ASSERT_NE(bytes_of(folder / "f"), before);
  ASSERT_TRUE(undo_labels(folder / "f").ok());
  EXPECT_EQ(bytes_of(folder / "f"), before);
  EXPECT_EQ(undo_labels(folder / "f").error().kind, ErrorKind::kUsage);  // one change back, not more
}

TEST(LabelSet, UndoOfTheFirstChangeLeavesNoExamples) {
  const TempDir folder;
  ASSERT_TRUE(change_label_set(folder / "f", set()).ok());
  ASSERT_TRUE(undo_labels(folder / "f").ok());
  EXPECT_TRUE(read_label_set(folder / "f", std::string(64, 'a'))->examples.empty());
}

TEST(LabelSet, MergedHasEveryExampleOnce) {
  LabelSet other{std::string(64, 'a'), {example("run", 1), example("walk", 0.5F)}};
  const auto all = merged({set(), other});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->names(), (std::vector<std::string>{"walk", "sit, \"down\"", "run"}));
  EXPECT_EQ(all->examples.size(), 3U);
  other.encoder = std::string(64, 'c');
  EXPECT_EQ(merged({set(), other}).error().kind, ErrorKind::kModel);
}

TEST(LabelSet, GrowsToItsLimitsAndNoFurther) {
  const TempDir folder;
  LabelSet many{std::string(64, 'a'), {}};
  many.examples.assign(LabelSet::kMostExamples + 1, example("walk", 0, 1));
  EXPECT_EQ(write_label_set(folder / "f", many).error().kind, ErrorKind::kUsage);
  many.examples.pop_back();
  EXPECT_TRUE(write_label_set(folder / "f", many).ok());
  EXPECT_EQ(read_label_set(folder / "f", "")->examples.size(), LabelSet::kMostExamples);
  for (std::size_t i = 0; i <= LabelSet::kMostNames; ++i) many.examples[i].name = "label " + std::to_string(i);
  EXPECT_EQ(write_label_set(folder / "f", many).error().kind, ErrorKind::kUsage);
}

TEST(LabelSet, NamesAreOneLineOfTextAndNotTheWordForUnknown) {
  for (const std::string& good : std::vector<std::string>{"walk", "fällt", "a b", std::string(64, 'x')}) {
    EXPECT_TRUE(check_label_name(good).ok()) << good;
  }
  for (const std::string& bad : std::vector<std::string>{"", "unknown", "a\nb", "\x7f", "\xff", std::string(65, 'x')}) {
    EXPECT_EQ(check_label_name(bad).error().kind, ErrorKind::kUsage) << bad;
  }
}

TEST(LabelSet, AFeatureHasUnitLengthAndSurvivesItsFile) {
  const auto feature = label_feature({3, 4, 0});
  EXPECT_NEAR(feature[0], 0.6, 1e-3);
  EXPECT_NEAR(feature[1], 0.8, 1e-3);
  EXPECT_EQ(label_feature({0, 0}), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace longtake
