#include "models/encoder/bands.h"

#include <algorithm>

namespace longtake {
namespace {

std::size_t largest_map_between(std::span<const ConvShape> chain, Rows out) {
  const std::vector<Rows> rows = rows_of_chain(chain, out);
  std::size_t largest = 0;
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const auto floats =
        static_cast<std::size_t>(rows[i].count() * chain[i].side_out() * chain[i].out_channels);
    largest = std::max(largest, floats);
  }
  return largest;
}

}  // namespace

Need need_for(const ConvShape& conv, Rows out) {
  const int first = out.first * conv.stride - conv.pad_before();
  const int end = (out.end - 1) * conv.stride - conv.pad_before() + conv.kernel;
  return {.rows = {std::max(first, 0), std::min(end, conv.side)},
          .pad_top = std::max(-first, 0),
          .pad_bottom = std::max(end - conv.side, 0)};
}

std::vector<Rows> rows_of_chain(std::span<const ConvShape> chain, Rows out) {
  std::vector<Rows> rows(chain.size());
  for (std::size_t i = chain.size(); i-- > 0;) {
    rows[i] = out;
    out = need_for(chain[i], out).rows;
  }
  return rows;
}

std::vector<Rows> bands_of(std::span<const ConvShape> chain, std::size_t max_floats) {
  const int side = chain.back().side_out();
  std::vector<Rows> bands;
  for (int count = 1; count <= side; ++count) {
    if (side % count != 0) continue;
    bands.clear();
    const int height = side / count;
    for (int first = 0; first < side; first += height) bands.push_back({first, first + height});
    const bool fit = std::all_of(bands.begin(), bands.end(),
                                 [&](Rows band) { return largest_map_between(chain, band) <= max_floats; });
    if (fit) break;
  }
  return bands;
}

}  // namespace longtake
