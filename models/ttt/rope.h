// Rotary position tables. The pair of channels (2m, 2m+1) of a query or key is turned by an angle that
// depends on the token's position; see section 3 of "Learning to (Learn at Test Time)", arXiv 2407.04620.
#pragma once

#include <vector>

namespace longtake {

// Angles are computed in float whatever the layer computes in, as the published models do: a table in double
// would change their outputs in the sixth digit.
struct RopeTable {
  int period = 0;          // positions; a token's row is its position modulo `period`
  int pairs = 0;           // f / 2
  std::vector<float> cos;  // [period][pairs]
  std::vector<float> sin;  // [period][pairs]
};

// angle(t, m) = t · theta^(−2m/f) for t = 0 … mini_batch−1: a mini-batch cannot tell where in the stream it
// stands.
RopeTable mini_batch_rope(int mini_batch, int head_width, double theta);

// Of a clip of frames, row by row after `text_tokens` that are not turned (arXiv 2504.05298): f/4 channels
// turn with the frame, 3f/8 with the row, 3f/8 with the column. head_width must be a multiple of 16.
RopeTable grid_rope(int text_tokens, int frames, int rows, int columns, int head_width, double theta);

}  // namespace longtake
