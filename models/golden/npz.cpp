#include "models/golden/npz.h"

#include <zlib.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

namespace longtake {
namespace {

// Thrown inside this file only, turned into an Error at its border: a parser reads better without a check per
// line.
struct Damaged {
  std::string why;
};

void require(bool holds, const char* why) {
  if (!holds) throw Damaged{why};
}

using Bytes = std::span<const std::byte>;

Bytes cut(Bytes from, std::uint64_t at, std::uint64_t count) {
  require(at <= from.size() && count <= from.size() - at, "it ends too early");
  return from.subspan(at, count);
}

template <class T>
T number(Bytes from, std::uint64_t at) {
  static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in the file");
  T value;
  std::memcpy(&value, cut(from, at, sizeof value).data(), sizeof value);
  return value;
}

std::string_view text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Member {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  Bytes packed;
  std::uint64_t size = 0;  // unpacked
};

// The central directory at the end of the archive is what counts; it points to the members.
std::vector<Member> members(Bytes file) {
  constexpr std::uint64_t kEndSize = 22;
  require(file.size() >= kEndSize, "it ends too early");
  std::optional<std::uint64_t> end;
  const std::uint64_t lowest = file.size() - std::min<std::uint64_t>(file.size(), kEndSize + 0xffff);
  for (std::uint64_t at = file.size() - kEndSize + 1; at-- > lowest && !end;) {
    if (number<std::uint32_t>(file, at) == 0x06054b50) end = at;
  }
  require(end.has_value(), "it is not a zip archive");
  const std::size_t count = number<std::uint16_t>(file, *end + 10);
  std::uint64_t at = number<std::uint32_t>(file, *end + 16);
  require(count <= kMaxNpzMembers, "it has too many members");
  std::vector<Member> all;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    require(number<std::uint32_t>(file, at) == 0x02014b50, "its directory is damaged");
    Member member;
    const auto flags = number<std::uint16_t>(file, at + 8);
    member.method = number<std::uint16_t>(file, at + 10);
    member.crc = number<std::uint32_t>(file, at + 16);
    const std::uint64_t packed = number<std::uint32_t>(file, at + 20);
    member.size = number<std::uint32_t>(file, at + 24);
    const std::uint64_t name = number<std::uint16_t>(file, at + 28);
    const std::uint64_t extra = number<std::uint16_t>(file, at + 30);
    const std::uint64_t comment = number<std::uint16_t>(file, at + 32);
    const std::uint64_t local = number<std::uint32_t>(file, at + 42);
    require((flags & 1) == 0, "it is encrypted");
    require(packed != 0xffffffff && member.size != 0xffffffff && local != 0xffffffff,
            "it is larger than 4 GB");
    total += member.size;
    require(total <= kMaxNpzBytes, "its arrays are too large");
    member.name = text(cut(file, at + 46, name));
    require(number<std::uint32_t>(file, local) == 0x04034b50, "a member is not where the directory says");
    const std::uint64_t data =
        local + 30 + number<std::uint16_t>(file, local + 26) + number<std::uint16_t>(file, local + 28);
    member.packed = cut(file, data, packed);
    all.push_back(std::move(member));
    at += 46 + name + extra + comment;
  }
  return all;
}

std::vector<std::byte> unpacked(const Member& member) {
  std::vector<std::byte> out;
  if (member.method == 0) {
    require(member.packed.size() == member.size, "a member's size is wrong");
    out.assign(member.packed.begin(), member.packed.end());
  } else {
    require(member.method == 8, "a member is packed in an unknown way");
    // Deflate cannot do better than about 1:1032, so a claim beyond that is a lie and gets no memory.
    require(member.size <= member.packed.size() * 1040 + 64, "a member's size is wrong");
    out.resize(member.size);
    z_stream stream{};
    require(inflateInit2(&stream, -MAX_WBITS) == Z_OK, "it cannot be unpacked");
    // zlib wants a non-const pointer but does not write through it.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(member.packed.data()));
    stream.avail_in = static_cast<uInt>(member.packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream, Z_FINISH);
    const bool whole = status == Z_STREAM_END && stream.total_out == member.size;
    inflateEnd(&stream);
    require(whole, "a member cannot be unpacked");
  }
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(out.size()));
  require(crc == member.crc, "a member's checksum is wrong");
  return out;
}

// What stands behind 'key': in the header, a Python literal that numpy always writes in the same way.
std::string_view field(std::string_view header, std::string_view key) {
  const auto at = header.find(key);
  require(at != std::string_view::npos, "an array's header is damaged");
  std::string_view rest = header.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

std::vector<std::int64_t> shape_of(std::string_view header) {
  std::string_view rest = field(header, "'shape':");
  require(rest.starts_with('('), "an array's shape is damaged");
  const auto close = rest.find(')');
  require(close != std::string_view::npos, "an array's shape is damaged");
  std::vector<std::int64_t> shape;
  std::int64_t extent = -1;
  for (const char c : rest.substr(1, close - 1)) {
    if (c >= '0' && c <= '9') {
      extent = std::max<std::int64_t>(extent, 0) * 10 + (c - '0');
      require(extent <= std::int64_t(kMaxNpzBytes), "an array's shape is damaged");
    } else if (c == ',') {
      require(extent >= 0, "an array's shape is damaged");
      shape.push_back(std::exchange(extent, -1));
    } else {
      require(c == ' ', "an array's shape is damaged");
    }
  }
  if (extent >= 0) shape.push_back(extent);
  require(shape.size() <= 8, "an array has too many dimensions");
  return shape;
}

template <class T>
void copy_numbers(Bytes data, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(number<T>(data, i * sizeof(T)));
}

// UTF-32, padded with zeros.
std::string copy_text(Bytes data) {
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += 4) {
    const auto c = number<std::uint32_t>(data, at);
    if (c == 0) break;
    require(c < 0x80, "a text is not ASCII");
    out.push_back(static_cast<char>(c));
  }
  return out;
}

NpzArray array(Bytes file) {
  require(text(cut(file, 0, 6)) == "\x93NUMPY" && number<std::uint8_t>(file, 6) == 1,
          "a member is not a numpy array");
  const std::uint64_t length = number<std::uint16_t>(file, 8);
  const std::string_view header = text(cut(file, 10, length));
  const Bytes data = file.subspan(10 + length);
  require(field(header, "'fortran_order':").starts_with("False"), "an array is in Fortran order");
  NpzArray out;
  out.shape = shape_of(header);
  std::uint64_t count = 1;
  for (const std::int64_t extent : out.shape) {
    require(extent == 0 || count <= kMaxNpzBytes / extent, "an array is too large");
    count *= extent;
  }
  const std::string_view type = field(header, "'descr':");
  if (type.starts_with("'<U")) {
    require(count == 1, "a text array has more than one element");
    out.text = copy_text(data);
    return out;
  }
  const bool f4 = type.starts_with("'<f4'");
  require(f4 || type.starts_with("'<f8'") || type.starts_with("'<i8'"), "an array has an unknown type");
  require(data.size() == count * (f4 ? 4 : 8), "an array's size is wrong");
  out.values.resize(count);
  out.is_single = f4;
  if (f4) {
    copy_numbers<float>(data, out.values);
  } else if (type.starts_with("'<f8'")) {
    copy_numbers<double>(data, out.values);
  } else {
    copy_numbers<std::int64_t>(data, out.values);
  }
  return out;
}

Error cannot_read(std::string_view name, std::string_view why) {
  return {ErrorKind::kInput, "cannot read \"" + std::string(name) + "\": " + std::string(why)};
}

}  // namespace

Result<NpzFile> parse_npz(std::span<const std::byte> file, std::string_view name) {
  try {
    NpzFile out;
    for (const auto& member : members(file)) {
      require(member.name.ends_with(".npy"), "a member is not a numpy array");
      const bool fresh =
          out.emplace(member.name.substr(0, member.name.size() - 4), array(unpacked(member))).second;
      require(fresh, "two members have the same name");
    }
    return out;
  } catch (const Damaged& damage) {
    return cannot_read(name, damage.why);
  }
}

Result<NpzFile> read_npz(const std::filesystem::path& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  if (failure) return cannot_read(path.string(), failure.message());
  if (size > kMaxNpzBytes) return cannot_read(path.string(), "it is too large");
  std::vector<std::byte> bytes(size);
  std::ifstream in(path, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    return cannot_read(path.string(), "reading failed");
  }
  return parse_npz(bytes, path.string());
}

}  // namespace longtake
