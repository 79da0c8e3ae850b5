#include "core/media/orientation.h"

#include <cmath>
#include <numbers>

namespace longtake {

int clockwise_quarter_turns(std::span<const std::int32_t, 9> matrix) {
  // A point (x, y), y downwards, goes to (a x + c y, b x + d y).
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  const double length = std::hypot(a, b);
  const double other_length = std::hypot(c, d);
  const double area = a * d - b * c;  // negative: mirrored; near zero: flattened
  if (!(length > 0) || !(area > 0.9 * length * other_length)) return 0;

  const double degrees = std::atan2(b, a) * 180 / std::numbers::pi;  // clockwise, as y points down
  const double turns = std::round(degrees / 90);
  if (std::abs(degrees - 90 * turns) > 1) return 0;
  return (static_cast<int>(turns) + 4) % 4;
}

}  // namespace longtake
