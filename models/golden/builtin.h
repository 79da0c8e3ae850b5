// The golden files that are part of the program; made from builtin/*.npz at build time.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace longtake {

struct BuiltinGolden {
  std::string_view name;
  std::span<const std::byte> npz;
};

std::span<const BuiltinGolden> builtin_golden();

}  // namespace longtake
