#include "models/ttt/rope.h"

#include <cmath>
#include <stdexcept>

namespace longtake {
namespace {

// Frequencies of `channels` channels: theta^(−2m/channels), m = 0 … channels/2 − 1.
std::vector<float> frequencies(int channels, double theta) {
  std::vector<float> rates(channels / 2);
  for (int m = 0; m < channels / 2; ++m) {
    rates[m] =
        1.0f / std::pow(static_cast<float>(theta), static_cast<float>(2 * m) / static_cast<float>(channels));
  }
  return rates;
}

RopeTable table(int period, int pairs) {
  return {period, pairs, std::vector<float>(std::size_t(period) * pairs, 1.0f),
          std::vector<float>(std::size_t(period) * pairs, 0.0f)};
}

void set_row(RopeTable& rope, int row, int first_pair, float position, const std::vector<float>& rates) {
  for (std::size_t m = 0; m < rates.size(); ++m) {
    const std::size_t at = std::size_t(row) * rope.pairs + first_pair + m;
    rope.cos[at] = std::cos(position * rates[m]);
    rope.sin[at] = std::sin(position * rates[m]);
  }
}

}  // namespace

RopeTable mini_batch_rope(int mini_batch, int head_width, double theta) {
  if (mini_batch < 1 || head_width < 2 || head_width % 2 != 0) {
    throw std::invalid_argument("mini_batch_rope: the head width must be even and the mini-batch positive");
  }
  RopeTable rope = table(mini_batch, head_width / 2);
  const auto rates = frequencies(head_width, theta);
  for (int t = 0; t < mini_batch; ++t) set_row(rope, t, 0, static_cast<float>(t), rates);
  return rope;
}

RopeTable grid_rope(int text_tokens, int frames, int rows, int columns, int head_width, double theta) {
  if (text_tokens < 0 || frames < 1 || rows < 1 || columns < 1 || head_width < 16 || head_width % 16 != 0) {
    throw std::invalid_argument("grid_rope: the head width must be a multiple of 16 and the grid positive");
  }
  const auto in_time = frequencies(head_width / 4, theta);
  const auto in_space = frequencies(head_width / 8 * 3, theta);
  const int first_row = static_cast<int>(in_time.size());
  const int first_column = first_row + static_cast<int>(in_space.size());
  RopeTable rope = table(text_tokens + frames * rows * columns, head_width / 2);
  int token = text_tokens;
  for (int t = 0; t < frames; ++t) {
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x, ++token) {
        set_row(rope, token, 0, static_cast<float>(t), in_time);
        set_row(rope, token, first_row, static_cast<float>(y), in_space);
        set_row(rope, token, first_column, static_cast<float>(x), in_space);
      }
    }
  }
  return rope;
}

}  // namespace longtake
