// Inputs of the inner loop that a call leaves unfinished (TttCall::rope, TttCall::gate). For the files of this folder.
//
// Compiled once, without anything that a processor might lack, so that every backend turns a row to the same bits.
#pragma once

#include "kernels/ttt.h"

namespace longtake {

// Rows of one head's piece of q or k.
template <class T>
struct TttInputRows {
  const T* data;
  std::ptrdiff_t stride;
  const T* row(int i) const { return data + i * stride; }
};

// Tokens first … first+n−1 of a view: where they are, or turned in `room` [n][f].
template <class T>
TttInputRows<T> take_inputs(const TttShape& shape, const TttCall<T>& call, const TttView<const T>& view, int head,
                            int first, int n, T* room);

// The rates of tokens first … first+n−1, and ∂L/∂lr from ∂L/∂rate.
template <class T>
void take_rates(const TttCall<T>& call, int head, int first, int n, T* rates);
template <class T>
T rate_back(const TttCall<T>& call, int head, T rate, T d_rate);

// ttt_turn() the other way round, which is its transpose: ∂L/∂row from ∂L/∂(turned row), in place.
template <class T>
void turn_back(const TttRope& rope, int token, int head_width, T* row);

}  // namespace longtake
