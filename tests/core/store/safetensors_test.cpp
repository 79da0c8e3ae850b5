#include "core/store/safetensors.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A file made by hand: the header's length, the header as it is, the data.
std::vector<std::byte> file_of(std::string_view header, std::string_view data, std::uint64_t length) {
  std::vector<std::byte> bytes(8);
  std::memcpy(bytes.data(), &length, 8);
  for (const std::string_view part : {header, data}) {
    for (const char c : part) bytes.push_back(static_cast<std::byte>(c));
  }
  return bytes;
}

std::vector<std::byte> file_of(std::string_view header, std::string_view data) {
  return file_of(header, data, header.size());
}

TensorFile sample() {
  TensorFile file;
  file.tensors["b"] = Tensor::of(std::vector<float>{1.5F, -2.0F, 3.25F, 0.0F, 5.0F, 6.0F}, {2, 3});
  file.tensors["a"] = Tensor::of(std::vector<std::uint8_t>{7, 8, 9}, {3});
  file.tensors["c"] = Tensor::of(std::vector<double>{1e300}, {});
  file.tensors["d"] = Tensor::of(std::vector<std::int64_t>{-1, 2}, {2, 1});
  file.tensors["none"] = Tensor::of(std::vector<float>{}, {0, 4});
  file.metadata["note"] = "zwölf \"quotes\"\n";
  return file;
}

void expect_equal(const TensorFile& got, const TensorFile& want) {
  EXPECT_EQ(got.metadata, want.metadata);
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (const auto& [name, tensor] : want.tensors) {
    ASSERT_TRUE(got.contains(name)) << name;
    const Tensor& other = got.tensors.find(name)->second;
    EXPECT_EQ(other.type, tensor.type) << name;
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_EQ(other.bytes, tensor.bytes) << name;
  }
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const TempDir folder;
  ASSERT_TRUE(write_tensors(folder / "t.safetensors", sample()));
  const auto read = read_tensors(folder / "t.safetensors");
  ASSERT_TRUE(read) << read.error().message;
  expect_equal(*read, sample());
  const auto parsed = parse_tensors(serialize_tensors(sample()), "memory");
  ASSERT_TRUE(parsed);
  expect_equal(*parsed, sample());
}

TEST(Safetensors, WritesTheBytesOfTheFormat) {
  TensorFile file;
  file.tensors["y"] = Tensor::of(std::vector<std::uint8_t>{65, 66}, {2});
  file.tensors["x"] = Tensor::of(std::vector<std::uint8_t>{67}, {1});
  file.metadata = {{"b", "2"}, {"a", "1"}};
  const std::string header =
      R"({"__metadata__":{"a":"1","b":"2"},"x":{"data_offsets":[0,1],"dtype":"U8","shape":[1]},)"
      R"("y":{"data_offsets":[1,3],"dtype":"U8","shape":[2]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(serialize_tensors(file), file_of(padded, "CAB"));
}

TEST(Safetensors, PutsEveryTensorAtAMultipleOfItsNumbersSize) {
  const std::vector<std::byte> bytes = serialize_tensors(sample());
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);
  // Eight-byte numbers come first, then four, then one: 8 + 16 + 24 + 0 + 3 bytes.
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 8, header);
  EXPECT_THAT(text, HasSubstr(R"("c":{"data_offsets":[0,8])"));
  EXPECT_THAT(text, HasSubstr(R"("d":{"data_offsets":[8,24])"));
  EXPECT_THAT(text, HasSubstr(R"("b":{"data_offsets":[24,48])"));
  EXPECT_THAT(text, HasSubstr(R"("a":{"data_offsets":[48,51])"));
  EXPECT_EQ(bytes.size(), 8 + header + 51);
}

TEST(Safetensors, PadsHeadersOfEveryLength) {
  for (std::size_t length = 1; length <= 8; ++length) {
    TensorFile file;
    file.metadata["k"] = std::string(length, 'v');
    const std::vector<std::byte> bytes = serialize_tensors(file);
    EXPECT_EQ(bytes.size() % 8, 0u) << length;
    EXPECT_TRUE(parse_tensors(bytes, "f"));
  }
}

TEST(Safetensors, GivesEqualBytesForEqualContents) {
  TensorFile other;  // filled in another order
  const TensorFile first = sample();
  for (auto it = first.tensors.rbegin(); it != first.tensors.rend(); ++it)
    other.tensors[it->first] = it->second;
  other.metadata = first.metadata;
  EXPECT_EQ(serialize_tensors(other), serialize_tensors(first));
}

TEST(Safetensors, ReadsTensorsInAnyOrderOfTheHeader) {
  const auto read = parse_tensors(
      file_of(
          R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"shape":[],"data_offsets":[1,2],"dtype":"U8"}}  )",
          "xy"),
      "f");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->tensors.at("a").bytes, std::vector<std::byte>{std::byte{'y'}});
  EXPECT_TRUE(read->tensors.at("a").shape.empty());
}

TEST(Safetensors, AcceptsAFileWithoutTensors) {
  EXPECT_TRUE(parse_tensors(file_of("{}", ""), "f"));
  EXPECT_TRUE(parse_tensors(file_of(R"({"__metadata__":{}})", ""), "f"));
  const auto read = parse_tensors(serialize_tensors({}), "f");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->tensors.empty());
}

struct Damage {
  const char* header;
  const char* data;
  const char* reason;
};

class DamagedHeader : public testing::TestWithParam<Damage> {};

TEST_P(DamagedHeader, IsRefusedWithItsReason) {
  const Damage& damage = GetParam();
  const auto read = parse_tensors(file_of(damage.header, damage.data), "m.safetensors");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kModel);
  EXPECT_EQ(read.error().message,
            std::string("cannot read tensors from \"m.safetensors\": ") + damage.reason);
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, DamagedHeader,
    testing::Values(
        // The text.
        Damage{"", "", "its header does not start with \"{\""},
        Damage{" {}", "", "its header does not start with \"{\""},
        Damage{"\xEF\xBB\xBF{}", "", "its header does not start with \"{\""},
        Damage{"[]", "", "its header does not start with \"{\""},
        Damage{"{", "", "its header is not valid JSON at byte 2"},
        Damage{"{}x", "", "its header is not valid JSON at byte 3"},
        Damage{"{\"\xff\":1}", "", "its header is not valid JSON at byte 3"},
        Damage{"{\"a\":1}", "", "tensor \"a\" has a number where the format has none"},
        Damage{"{\"a\":[]}", "", "tensor \"a\" has an array where the format has none"},
        Damage{"{\"a\":null}", "", "tensor \"a\" has null where the format has none"},
        Damage{"{\"a\":\"b\"}", "", "tensor \"a\" has a text where the format has none"},
        // Names.
        Damage{
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
            "xy", "\"a\" stands there twice"},
        Damage{R"({"__metadata__":{},"__metadata__":{}})", "", "\"__metadata__\" stands there twice"},
        Damage{R"({"__metadata__":{"k":"1","k":"2"}})", "", "metadata \"k\" stands there twice"},
        Damage{R"({"__metadata__":{"k":1}})", "", "its metadata has a number where the format has none"},
        Damage{R"({"__metadata__":{"k":{}}})", "", "its metadata has an object where the format has none"},
        Damage{R"({"__metadata__":"k"})", "", "its metadata has a text where the format has none"},
        // Members of a tensor.
        Damage{R"({"a":{}})", "", "tensor \"a\" lacks its dtype, shape or data_offsets"},
        Damage{R"({"a":{"shape":[1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" lacks its dtype, shape or data_offsets"},
        Damage{R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", "x",
               "tensor \"a\" lacks its dtype, shape or data_offsets"},
        Damage{R"({"a":{"dtype":"U8","shape":[1]}})", "x",
               "tensor \"a\" lacks its dtype, shape or data_offsets"},
        Damage{R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has two keys \"dtype\""},
        Damage{R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})", "x",
               "tensor \"a\" has the unknown key \"more\""},
        Damage{R"({"a":{"dtype":"U4","shape":[1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" is of the type \"U4\", which is not known here"},
        Damage{R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a number where the format has none"},
        Damage{R"({"a":{"dtype":{"x":{}},"shape":[1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has an object where the format has none"},
        // Shapes.
        Damage{R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a number where the format has none"},
        Damage{R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a negative number where the format has none"},
        Damage{R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a number that is not whole where the format has none"},
        Damage{R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has an array where the format has none"},
        Damage{R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has more than 8 dimensions"},
        Damage{R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a number where the format has none"},
        Damage{R"({"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}})", "x",
               "tensor \"a\" has a number that is not whole where the format has none"},
        Damage{R"({"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}})", "",
               "tensor \"a\" has bytes 0 to 0, which is not the size of its shape"},
        Damage{R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "",
               "tensor \"a\" has bytes 0 to 0, which is not the size of its shape"},
        Damage{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}})", "xy",
               "tensor \"a\" has bytes 0 to 2, which is not the size of its shape"},
        // Offsets.
        Damage{R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", "x",
               "tensor \"a\" needs two data_offsets"},
        Damage{R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", "x",
               "tensor \"a\" needs two data_offsets"},
        Damage{R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "x",
               "tensor \"a\" stands at bytes 0 to 2 of 1"},
        Damage{R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}})", "x",
               "tensor \"a\" stands at bytes 1 to 0 of 1"},
        Damage{R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})", "x",
               "tensor \"a\" stands at bytes 18446744073709551615 to 0 of 1"},
        Damage{
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            "xyz", "tensor \"b\" overlaps the one before it"},
        Damage{
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            "x", "tensor \"b\" overlaps the one before it"},
        Damage{
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
            "xyz", "no tensor covers the bytes before tensor \"b\""},
        Damage{R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "xyz",
               "2 bytes follow the last tensor"},
        Damage{"{}", "x", "1 bytes follow the last tensor"}));

TEST(Safetensors, RefusesWrongHeaderLengths) {
  EXPECT_FALSE(parse_tensors({}, "f"));
  EXPECT_FALSE(parse_tensors(std::vector<std::byte>(7), "f"));
  EXPECT_FALSE(parse_tensors(std::vector<std::byte>(8), "f"));
  EXPECT_THAT(parse_tensors(file_of("{}", "", 3), "f").error().message,
              HasSubstr("its header claims 3 bytes of a file of 10"));
  EXPECT_FALSE(parse_tensors(file_of("{}", "", 1), "f"));
  const auto read = parse_tensors(file_of("{}", "", std::numeric_limits<std::uint64_t>::max()), "f");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message,
              HasSubstr("its header claims 18446744073709551615 bytes of a file of 10"));
}

TEST(Safetensors, RefusesAHeaderBeyondItsBound) {
  std::string header = "{}";
  header.resize(kMaxTensorHeaderBytes, ' ');
  EXPECT_TRUE(parse_tensors(file_of(header, ""), "f"));
  header += ' ';
  EXPECT_FALSE(parse_tensors(file_of(header, ""), "f"));
}

TEST(Safetensors, SurvivesDeepNesting) {
  const std::string deep(1 << 20, '[');
  EXPECT_FALSE(parse_tensors(file_of("{\"a\":" + deep, ""), "f"));
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += "\"a\":{";
  EXPECT_FALSE(parse_tensors(file_of(objects, ""), "f"));
}

TEST(Safetensors, RefusesEveryTruncation) {
  const TempDir folder;
  const std::vector<std::byte> whole = serialize_tensors(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::span part = std::span(whole).first(size);
    ASSERT_FALSE(parse_tensors(part, "f")) << size;
    if (size % 16 != 0) continue;
    std::ofstream(folder / "t", std::ios::binary)
        .write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(size));
    ASSERT_FALSE(read_tensors(folder / "t")) << size;
  }
}

TEST(Safetensors, NamesAFileThatIsNotThereOrNoFile) {
  const TempDir folder;
  const auto absent = read_tensors(folder / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kModel);
  EXPECT_EQ(absent.error().message,
            "cannot read tensors from \"" + (folder / "absent").string() + "\": No such file or directory");
  EXPECT_FALSE(read_tensors(folder.path()));
  EXPECT_FALSE(read_tensors("/dev/zero"));
}

TEST(Safetensors, HandsOutNumbersOfTheWantedShape) {
  const TensorFile file = sample();
  const auto floats = file.floats("b", {2, 3});
  ASSERT_TRUE(floats);
  EXPECT_THAT(*floats, ElementsAre(1.5F, -2.0F, 3.25F, 0.0F, 5.0F, 6.0F));
  EXPECT_THAT(*file.doubles("c", {}), ElementsAre(1e300));
  EXPECT_THAT(*file.integers("d", {2, 1}), ElementsAre(-1, 2));
  EXPECT_TRUE(file.floats("none", {0, 4}));
}

TEST(Safetensors, TakesAnyExtentForMinusOne) {
  TensorFile file = sample();
  file.tensors["line"] = Tensor::of(std::vector<float>{1, 2}, {2});
  EXPECT_EQ(file.floats("line", {-1})->size(), 2u);
  EXPECT_FALSE(file.floats("line", {0})) << "zero is an extent like any other";
  EXPECT_FALSE(file.floats("b", {-1})) << "two dimensions are not one";
}

TEST(Safetensors, WidensHalves) {
  TensorFile file;
  const std::uint16_t halves[] = {0x3C00, 0xC000};
  const std::span bytes = std::as_bytes(std::span(halves));
  file.tensors["h"] = Tensor{TensorType::kF16, {2}, {bytes.begin(), bytes.end()}};
  EXPECT_THAT(*file.floats("h", {2}), ElementsAre(1.0F, -2.0F));
}

TEST(Safetensors, SaysWhatIsWrongWithATensorThatWasAskedFor) {
  const TensorFile file = sample();
  EXPECT_EQ(file.floats("z", {1}).error().message, "there is no tensor \"z\"");
  EXPECT_EQ(file.floats("b", {3, 2}).error().message, "tensor \"b\" has the shape [2, 3] instead of [3, 2]");
  EXPECT_EQ(file.floats("a", {3}).error().message,
            "tensor \"a\" holds another type of number than is needed");
  EXPECT_EQ(file.doubles("b", {2, 3}).error().kind, ErrorKind::kModel);
  EXPECT_FALSE(file.integers("a", {3}));
}

TEST(Safetensors, RefusesToWriteWhatNoFileCanHold) {
  TensorFile wrong_size = sample();
  wrong_size.tensors["b"].shape = {7};
  EXPECT_THROW(serialize_tensors(wrong_size), std::invalid_argument);
  TensorFile reserved;
  reserved.tensors["__metadata__"] = Tensor::of(std::vector<float>{1}, {1});
  EXPECT_THROW(serialize_tensors(reserved), std::invalid_argument);
  TensorFile no_text;
  no_text.metadata["k"] = "\xff";
  EXPECT_THROW(serialize_tensors(no_text), std::invalid_argument);
  EXPECT_THROW(Tensor::of(std::vector<float>{1, 2}, {3}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
