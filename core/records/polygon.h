// Regions of a picture as people type them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace longtake {

using Polygon = std::vector<std::array<double, 2>>;  // [corners][x, y], fractions of width and height

inline constexpr std::size_t kMostCorners = 64;

// "0,0 1,0 0.5,1": x,y between single spaces, each from 0 to 1, 3 to kMostCorners corners. Whether the edges
// cross is not looked at. Errors are of kind kUsage.
Result<Polygon> parse_polygon(std::string_view text);

}  // namespace longtake
