#include "models/encoder/borders.h"

#include <algorithm>
#include <cmath>

#include "models/encoder/encoder.h"

namespace longtake {
namespace {

constexpr int kMapSide = 7;
constexpr int kGrid = 4;
static_assert(kGrid * kGrid == Encoder::kTokens);

// Rows or columns [first, end) of the map.
struct Range {
  int first, end;
};

// Where the i-th of kGrid windows lies: as far apart as kMapSide / kGrid, rounded outwards.
constexpr Range window(int i) { return {i * kMapSide / kGrid, ((i + 1) * kMapSide + kGrid - 1) / kGrid}; }

void mean_of_window(const float* map, Range rows, Range columns, std::span<float> means) {
  std::fill(means.begin(), means.end(), 0.0F);
  for (int row = rows.first; row < rows.end; ++row) {
    for (int column = columns.first; column < columns.end; ++column) {
      const float* cell = map + static_cast<std::size_t>(row * kMapSide + column) * means.size();
      for (std::size_t c = 0; c < means.size(); ++c) means[c] += cell[c];
    }
  }
  const float scale = 1.0F / static_cast<float>((rows.end - rows.first) * (columns.end - columns.first));
  for (float& mean : means) mean *= scale;
}

}  // namespace

void scale_picture(std::span<const std::uint8_t> rgb, float* out) {
  for (std::size_t i = 0; i < rgb.size(); ++i)
    out[i] = (static_cast<float>(rgb[i]) - 127.0F) * (1.0F / 128.0F);
}

void pool_tokens(const float* map, std::span<float> tokens) {
  for (int i = 0; i < Encoder::kTokens; ++i) {
    const auto token =
        tokens.subspan(static_cast<std::size_t>(i) * Encoder::kTokenChannels, Encoder::kTokenChannels);
    mean_of_window(map, window(i / kGrid), window(i % kGrid), token);
  }
}

void mean_of_map(const float* map, std::span<float> means) {
  mean_of_window(map, {0, kMapSide}, {0, kMapSide}, means);
}

void softmax(std::span<const float> logits, std::span<float> probabilities) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += probabilities[i] = std::exp(logits[i] - most);
  for (float& p : probabilities) p = static_cast<float>(p / sum);
}

}  // namespace longtake
