#include "core/store/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

namespace longtake {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadataName = "__metadata__";
constexpr std::size_t kMostDimensions = 8;

constexpr std::array<std::pair<std::string_view, TensorType>, 5> kTypeNames = {{{"F16", TensorType::kF16},
                                                                                {"F32", TensorType::kF32},
                                                                                {"F64", TensorType::kF64},
                                                                                {"I64", TensorType::kI64},
                                                                                {"U8", TensorType::kU8}}};

std::optional<TensorType> type_named(std::string_view name) {
  for (const auto& [known, type] : kTypeNames) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string_view name_of(TensorType type) {
  for (const auto& [name, known] : kTypeNames) {
    if (known == type) return name;
  }
  return "";
}

// Follows the text event by event, so that memory stays in proportion to what is accepted, whatever the text
// nests. The only shape it knows: {"name": {"dtype": text, "shape": [number…], "data_offsets": [number,
// number]}, …,
// "__metadata__": {"key": text, …}}. Each function returns false to stop, with `reason` set.
class HeaderReader final : public nlohmann::json_sax<json> {
 public:
  TensorHeader header;
  std::string reason;

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) return go(Place::kFile);
    if (place_ != Place::kTensorStart && place_ != Place::kMetadataStart) return unexpected("an object");
    return go(place_ == Place::kTensorStart ? Place::kTensor : Place::kMetadata);
  }

  bool end_object() override {
    if (place_ == Place::kFile) return go(Place::kOutside);
    if (place_ == Place::kTensor && !(has_type_ && has_shape_ && has_offsets_)) {
      return stop("tensor \"" + tensor_.name + "\" lacks its dtype, shape or data_offsets");
    }
    if (place_ == Place::kTensor) header.places.push_back(std::move(tensor_));
    return go(Place::kFile);
  }

  bool key(std::string& name) override {
    if (place_ == Place::kMetadata) {
      metadata_key_ = name;
      return !header.metadata.contains(name) || stop("metadata \"" + name + "\" stands there twice");
    }
    if (place_ == Place::kTensor) return tensor_key(name);
    if (!names_.insert(name).second) return stop("\"" + name + "\" stands there twice");
    if (name == kMetadataName) return go(Place::kMetadataStart);
    tensor_ = TensorPlace{};
    tensor_.name = name;
    has_type_ = has_shape_ = has_offsets_ = false;
    return go(Place::kTensorStart);
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kShape) return go(Place::kShapeNumbers);
    if (place_ == Place::kOffsets) return go(Place::kOffsetNumbers);
    return unexpected("an array");
  }

  bool end_array() override {
    if (place_ == Place::kOffsetNumbers && offsets_seen_ != 2) return wrong_offsets();
    return go(Place::kTensor);
  }

  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) {
      header.metadata.emplace(std::move(metadata_key_), text);
      return true;
    }
    if (place_ != Place::kType) return unexpected("a text");
    const std::optional<TensorType> type = type_named(text);
    if (!type)
      return stop("tensor \"" + tensor_.name + "\" is of the type \"" + text + "\", which is not known here");
    tensor_.type = *type;
    return go(Place::kTensor);
  }

  bool number_unsigned(std::uint64_t number) override {
    if (place_ == Place::kShapeNumbers) {
      if (tensor_.shape.size() == kMostDimensions) {
        return stop("tensor \"" + tensor_.name + "\" has more than " + std::to_string(kMostDimensions) +
                    " dimensions");
      }
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return unexpected("a number");
      tensor_.shape.push_back(static_cast<std::int64_t>(number));
      return true;
    }
    if (place_ != Place::kOffsetNumbers) return unexpected("a number");
    if (offsets_seen_ == 2) return wrong_offsets();
    (offsets_seen_ == 0 ? tensor_.begin : tensor_.end) = number;
    ++offsets_seen_;
    return true;
  }

  // Negative, broken or too large for 64 bits: none of them can be an extent or an offset.
  bool number_integer(std::int64_t) override { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { return unexpected("a number that is not whole"); }
  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool binary(json::binary_t&) override { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    return stop("its header is not valid JSON at byte " + std::to_string(position));
  }

 private:
  enum class Place {
    kOutside,
    kFile,
    kTensorStart,
    kTensor,
    kType,
    kShape,
    kShapeNumbers,
    kOffsets,
    kOffsetNumbers,
    kMetadataStart,
    kMetadata,
  };

  bool go(Place place) {
    place_ = place;
    return true;
  }

  bool stop(std::string why) {
    reason = std::move(why);
    return false;
  }

  bool unexpected(const std::string& what) {
    const std::string where = place_ == Place::kMetadata || place_ == Place::kMetadataStart ? "its metadata"
                              : place_ == Place::kOutside || place_ == Place::kFile
                                  ? "its header"
                                  : "tensor \"" + tensor_.name + "\"";
    return stop(where + " has " + what + " where the format has none");
  }

  bool wrong_offsets() { return stop("tensor \"" + tensor_.name + "\" needs two data_offsets"); }

  bool tensor_key(const std::string& name) {
    bool* seen = name == "dtype" ? &has_type_ : name == "shape" ? &has_shape_ : &has_offsets_;
    if (seen == &has_offsets_ && name != "data_offsets") {
      return stop("tensor \"" + tensor_.name + "\" has the unknown key \"" + name + "\"");
    }
    if (*seen) return stop("tensor \"" + tensor_.name + "\" has two keys \"" + name + "\"");
    *seen = true;
    offsets_seen_ = 0;
    return go(seen == &has_type_ ? Place::kType : seen == &has_shape_ ? Place::kShape : Place::kOffsets);
  }

  Place place_ = Place::kOutside;
  TensorPlace tensor_;
  bool has_type_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  int offsets_seen_ = 0;
  std::string metadata_key_;
  std::set<std::string, std::less<>> names_;
};

// The shape's size in bytes, or nothing if 64 bits cannot hold it.
std::optional<std::uint64_t> bytes_of(const TensorPlace& place) {
  std::uint64_t bytes = size_in_bytes(place.type);
  for (const std::int64_t extent : place.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return std::nullopt;
  }
  return bytes;
}

std::string extent_of(const TensorPlace& place) {
  return std::to_string(place.begin) + " to " + std::to_string(place.end);
}

// Empty if every tensor has the size of its shape and together they are the data, no more and no less.
std::string reason_against(const std::vector<TensorPlace>& sorted, std::uint64_t data_bytes) {
  std::uint64_t covered = 0;
  for (const TensorPlace& place : sorted) {
    const std::string tensor = "tensor \"" + place.name + "\"";
    if (place.end < place.begin || place.end > data_bytes) {
      return tensor + " stands at bytes " + extent_of(place) + " of " + std::to_string(data_bytes);
    }
    if (bytes_of(place) != place.end - place.begin) {
      return tensor + " has bytes " + extent_of(place) + ", which is not the size of its shape";
    }
    if (place.begin < covered) return tensor + " overlaps the one before it";
    if (place.begin > covered) return "no tensor covers the bytes before " + tensor;
    covered = place.end;
  }
  return covered == data_bytes ? "" : std::to_string(data_bytes - covered) + " bytes follow the last tensor";
}

}  // namespace

Result<TensorHeader> parse_tensor_header(std::string_view text, std::uint64_t data_bytes) {
  const auto refuse = [](std::string reason) { return Error{ErrorKind::kModel, std::move(reason)}; };
  if (!text.starts_with('{'))
    return refuse("its header does not start with \"{\"");  // no mark, no leading spaces
  HeaderReader reader;
  if (!json::sax_parse(text, &reader)) return refuse(std::move(reader.reason));
  std::vector<TensorPlace>& places = reader.header.places;
  std::ranges::sort(places, [](const TensorPlace& a, const TensorPlace& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  if (std::string reason = reason_against(places, data_bytes); !reason.empty())
    return refuse(std::move(reason));
  return std::move(reader.header);
}

std::string tensor_header_json(const TensorHeader& header) {
  json root = json::object();  // keeps its keys sorted
  for (const TensorPlace& place : header.places) {
    if (place.name == kMetadataName) throw std::invalid_argument("a tensor cannot be called __metadata__");
    root[place.name] = {
        {"dtype", name_of(place.type)}, {"shape", place.shape}, {"data_offsets", {place.begin, place.end}}};
  }
  if (!header.metadata.empty()) root[kMetadataName] = header.metadata;
  try {
    std::string text = root.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const json::type_error&) {
    throw std::invalid_argument("names and metadata of tensors must be UTF-8");
  }
}

}  // namespace longtake
