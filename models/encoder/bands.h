// Which rows of which maps are computed together.
//
// Note: Bands
// A block widens its map sixfold, filters it and narrows it again. The widened maps of the first blocks (4.8
// MB) fit no second-level cache, and the way to the third one and back costs a third of their time. So such a
// chain of convolutions is computed in horizontal bands: a few rows of its result at a time, and of the maps
// in between only the rows that these need. Rows that two bands need are computed twice. What a row holds
// does not depend on the bands.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/encoder/weights.h"

namespace longtake {

// Rows [first, end) of a map.
struct Rows {
  int first = 0;
  int end = 0;
  int count() const { return end - first; }
};

// What a convolution reads for some rows of its output. Padding is zero except at the borders of the map.
struct Need {
  Rows rows;
  int pad_top = 0;
  int pad_bottom = 0;
};
Need need_for(const ConvShape& conv, Rows out);

// For each convolution of a chain the rows of its output that are needed for the rows `out` of the last
// one's.
std::vector<Rows> rows_of_chain(std::span<const ConvShape> chain, Rows out);

// All rows of the last output, in as few equal bands as keep every map in between within `max_floats`; bands
// of one row if that cannot be.
std::vector<Rows> bands_of(std::span<const ConvShape> chain, std::size_t max_floats);

}  // namespace longtake
