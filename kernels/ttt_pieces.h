// How a call is cut up, the same in every backend: into heads, and these at the borders of mini-batches. For the files
// of this folder.
#pragma once

#include <algorithm>

#include "kernels/ttt.h"

namespace longtake {

struct TttWidths {
  int f, h, b;  // h = 0: linear
  explicit TttWidths(const TttShape& shape)
      : f(shape.head_width), h(shape.model == TttModel::kMlp ? shape.hidden_width : 0), b(shape.mini_batch) {}
};

// Rows of one mini-batch, in the layout of the state's rows but also where the state keeps none.
inline TttShape with_rows(TttShape shape) {
  shape.form = TttForm::kCausal;
  return shape;
}

// Head(shape, call, state, head).run(first, n, open, report) takes the next n tokens, none of them beyond the end of the
// mini-batch that has `open` tokens already.
template <class Head, class T>
TttReport forward_in_pieces(const TttShape& shape, const TttCall<T>& call, TttState<T>& state) {
  TttReport report;
  for (int head = 0; head < shape.heads; ++head) {
    Head work(shape, call, state, head);
    int open = state.open;
    for (int first = 0; first < call.tokens;) {
      const int n = std::min(call.tokens - first, shape.mini_batch - open);
      work.run(first, n, open, report);
      first += n;
      open = (open + n) % shape.mini_batch;
    }
  }
  state.open = (state.open + call.tokens) % shape.mini_batch;
  return report;
}

}  // namespace longtake
