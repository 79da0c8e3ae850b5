// The JSON header of a safetensors file, checked against the bytes that follow it. Inner part of
// safetensors.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"

namespace longtake {

struct TensorPlace {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // in the data, which start right behind the header
  std::uint64_t end = 0;
};

struct TensorHeader {
  std::vector<TensorPlace> places;  // by `begin`; together they cover the data without a gap or an overlap
  std::map<std::string, std::string, std::less<>> metadata;
};

// Checks everything that can be wrong with a header, so that reading the places is safe. The Error's message
// is only the reason: the caller knows the file's name.
Result<TensorHeader> parse_tensor_header(std::string_view json, std::uint64_t data_bytes);

// Sorted by name and padded with spaces to a multiple of 8. The places need no order. Throws
// std::invalid_argument for a name that no file can have.
std::string tensor_header_json(const TensorHeader& header);

}  // namespace longtake
