#include "core/store/archive.h"

#include <gtest/gtest.h>

namespace longtake {
namespace {

struct Inner {
  float weight = 0;
  bool open = false;

  template <class Archive>
  void archive(Archive& a) {
    a("weight", weight);
    a("open", open);
  }
};

struct Outer {
  std::int64_t count = 0;
  std::vector<double> ring = std::vector<double>(3);
  std::array<std::uint8_t, 2> pixels{};
  Inner inner;

  template <class Archive>
  void archive(Archive& a) {
    a("count", count);
    a("ring", ring);
    a("pixels", pixels);
    a("inner", inner);
  }
};

TensorFile saved(const Outer& outer) {
  TensorFile file;
  StateWriter(file, "state.")("outer", outer);
  return file;
}

TEST(Archive, GivesBackWhatItSaved) {
  const TensorFile file = saved(Outer{-7, {0.5, -2, 1e300}, {3, 255}, {1.25F, true}});

  Outer read;
  StateReader reader(file, "state.");
  reader("outer", read);

  ASSERT_TRUE(reader.result()) << reader.result().error().message;
  EXPECT_EQ(read.count, -7);
  EXPECT_EQ(read.ring, (std::vector<double>{0.5, -2, 1e300}));
  EXPECT_EQ(read.pixels, (std::array<std::uint8_t, 2>{3, 255}));
  EXPECT_EQ(read.inner.weight, 1.25F);
  EXPECT_TRUE(read.inner.open);
}

TEST(Archive, NamesMembersByTheirPath) {
  const TensorFile file = saved({});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"state.outer.count", "state.outer.inner.open",
                                      "state.outer.inner.weight", "state.outer.pixels", "state.outer.ring"}));
}

TEST(Archive, RefusesAStateThatLacksAMember) {
  TensorFile file = saved({});
  file.tensors.erase("state.outer.inner.weight");
  Outer read;
  StateReader reader(file, "state.");
  reader("outer", read);
  ASSERT_FALSE(reader.result());
  EXPECT_EQ(reader.result().error().kind, ErrorKind::kModel);
  EXPECT_EQ(reader.result().error().message, "the saved state has no \"state.outer.inner.weight\"");
}

TEST(Archive, RefusesAnotherSizeOrType) {
  TensorFile longer = saved(Outer{0, {1, 2, 3, 4}, {}, {}});
  TensorFile other = saved({});
  const double as_many_bytes = 1;
  other.tensors["state.outer.count"] = Tensor::of(std::span(&as_many_bytes, 1), {1});
  for (const TensorFile* file : {&longer, &other}) {
    Outer read;
    StateReader reader(*file, "state.");
    reader("outer", read);
    EXPECT_FALSE(reader.result());
  }
}

}  // namespace
}  // namespace longtake
