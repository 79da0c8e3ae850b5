#include "models/degrade.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <stdexcept>

namespace longtake {
namespace {

constexpr int kBlock = 8;
using Block = std::array<std::array<float, kBlock>, kBlock>;

// Rows are the cosines of the orthonormal DCT-II.
const Block& cosines() {
  static const Block table = [] {
    Block out{};
    for (int u = 0; u < kBlock; ++u) {
      for (int x = 0; x < kBlock; ++x) {
        const double scale = std::sqrt((u == 0 ? 1.0 : 2.0) / kBlock);
        out[static_cast<std::size_t>(u)][static_cast<std::size_t>(x)] =
            static_cast<float>(scale * std::cos((2 * x + 1) * u * std::numbers::pi / (2 * kBlock)));
      }
    }
    return out;
  }();
  return table;
}

// C b Cᵀ, or Cᵀ b C.
Block transformed(const Block& b, bool back) {
  const Block& c = cosines();
  const auto at = [&](std::size_t i, std::size_t j) { return back ? c[j][i] : c[i][j]; };
  Block half{}, out{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    for (std::size_t k = 0; k < kBlock; ++k) {
      for (std::size_t j = 0; j < kBlock; ++j) half[i][j] += at(i, k) * b[k][j];
    }
  }
  for (std::size_t i = 0; i < kBlock; ++i) {
    for (std::size_t k = 0; k < kBlock; ++k) {
      for (std::size_t j = 0; j < kBlock; ++j) out[i][j] += half[i][k] * at(j, k);
    }
  }
  return out;
}

}  // namespace

int degraded_from(int side) { return side + 2 * ((side + 39) / 40); }

RgbImage degrade(const RgbImage& image, int side) {
  constexpr float kBrighter = 1.1F;
  if (image.width != image.height || image.width < side || side % kBlock != 0) {
    throw std::invalid_argument("degrade: the image is not a square that holds whole blocks of the part wanted");
  }
  const int edge = (image.width - side) / 2;
  RgbImage out;
  out.width = out.height = side;
  out.pixels.resize(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  for (int top = 0; top < side; top += kBlock) {
    for (int left = 0; left < side; left += kBlock) {
      for (int channel = 0; channel < 3; ++channel) {
        const auto pixel = [&](std::size_t y, std::size_t x, int width, int offset) {
          return ((static_cast<std::size_t>(top + offset) + y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(left + offset) + x) * 3 + static_cast<std::size_t>(channel);
        };
        Block block{};
        for (std::size_t y = 0; y < kBlock; ++y) {
          for (std::size_t x = 0; x < kBlock; ++x) {
            block[y][x] = std::min(255.0F, kBrighter * static_cast<float>(image.pixels[pixel(y, x, image.width, edge)]));
          }
        }
        block = transformed(block, false);
        for (std::size_t u = 0; u < kBlock; ++u) {
          for (std::size_t v = 0; v < kBlock; ++v) {
            const float step = 8 + 4 * static_cast<float>(u + v);  // coarser for finer detail
            block[u][v] = step * std::round(block[u][v] / step);
          }
        }
        block = transformed(block, true);
        for (std::size_t y = 0; y < kBlock; ++y) {
          for (std::size_t x = 0; x < kBlock; ++x) {
            out.pixels[pixel(y, x, side, 0)] = static_cast<std::uint8_t>(std::clamp(std::round(block[y][x]), 0.0F, 255.0F));
          }
        }
      }
    }
  }
  return out;
}

}  // namespace longtake
