// Which way up a picture is to be shown. Pure.
#pragma once

#include <cstdint>
#include <span>

namespace longtake {

// How many clockwise quarter turns (0..3) a container's display matrix asks for: 3x3, row by row, 16.16 fixed
// point. Matrices that are no quarter turn within a degree (skewed, mirrored, all zero) ask for none: they
// are far more often nonsense than meant.
int clockwise_quarter_turns(std::span<const std::int32_t, 9> matrix);

}  // namespace longtake
