// A picture made by a formula, so that programs in other languages can make the same one:
// reference_encoder.py, encoder_rivals.py.
#pragma once

#include <cstdint>
#include <vector>

namespace longtake {

// [224][224][3]: gradients, a checkerboard with edges, and a fine texture. `shift` gives other pictures of
// the kind.
inline std::vector<std::uint8_t> test_picture(int shift = 0) {
  constexpr int side = 224;
  std::vector<std::uint8_t> pixels;
  pixels.reserve(std::size_t{side} * side * 3);
  for (int y = 0; y < side; ++y) {
    for (int x = shift; x < side + shift; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int slope = (x * (c + 2) + y * (5 - c)) / 4;
        const int board = (x / 28 + y / 28) % 2 * 60;
        const int grain = (x * x + 3 * y * y + 7 * c) % 31;
        pixels.push_back(static_cast<std::uint8_t>((slope + board + grain) % 256));
      }
    }
  }
  return pixels;
}

}  // namespace longtake
