#include "kernels/ttt_inputs.h"

#include <cmath>
#include <cstddef>

namespace longtake {
namespace {

template <class T>
void turn_pairs(const TttRope& rope, int token, int head_width, T sign, const T* from, T* to) {
  const int pairs = head_width / 2;
  const std::ptrdiff_t row = (std::ptrdiff_t(rope.position) + token) % rope.period * pairs;
  for (int m = 0; m < pairs; ++m) {
    const T cosine = rope.cos[row + m];
    const T sine = sign * rope.sin[row + m];
    const T even = from[2 * m];
    const T odd = from[2 * m + 1];
    to[2 * m] = even * cosine - odd * sine;
    to[2 * m + 1] = even * sine + odd * cosine;
  }
}

}  // namespace

template <class T>
void ttt_turn(const TttRope& rope, int token, int head_width, const T* from, T* to) {
  turn_pairs(rope, token, head_width, T(1), from, to);
}

template <class T>
void turn_back(const TttRope& rope, int token, int head_width, T* row) {
  turn_pairs(rope, token, head_width, T(-1), row, row);
}

template <class T>
TttInputRows<T> take_inputs(const TttShape& shape, const TttCall<T>& call, const TttView<const T>& view, int head,
                            int first, int n, T* room) {
  const T* const rows = view.data + head * view.head_stride + first * view.token_stride;
  if (call.rope.cos == nullptr) return {rows, view.token_stride};
  const int f = shape.head_width;
  for (int i = 0; i < n; ++i) {
    ttt_turn(call.rope, first + i, f, rows + i * view.token_stride, room + std::ptrdiff_t(i) * f);
  }
  return {room, f};
}

template <class T>
void take_rates(const TttCall<T>& call, int head, int first, int n, T* rates) {
  const T* const lr = call.lr.data + head * call.lr.head_stride + first * call.lr.token_stride;
  for (int i = 0; i < n; ++i) rates[i] = lr[i * call.lr.token_stride];
  if (call.gate == nullptr) return;
  for (int i = 0; i < n; ++i) rates[i] = call.gate[head] * (1 / (1 + std::exp(-rates[i])));
}

template <class T>
T rate_back(const TttCall<T>& call, int head, T rate, T d_rate) {
  if (call.gate == nullptr) return d_rate;
  const T most = call.gate[head];
  return most == 0 ? T(0) : d_rate * rate * (1 - rate / most);
}

#define LONGTAKE_TTT_INPUTS(T)                                                                                     \
  template void ttt_turn(const TttRope&, int, int, const T*, T*);                                                  \
  template void turn_back(const TttRope&, int, int, T*);                                                           \
  template TttInputRows<T> take_inputs(const TttShape&, const TttCall<T>&, const TttView<const T>&, int, int, int, \
                                       T*);                                                                        \
  template void take_rates(const TttCall<T>&, int, int, int, T*);                                                  \
  template T rate_back(const TttCall<T>&, int, T, T);
LONGTAKE_TTT_INPUTS(float)
LONGTAKE_TTT_INPUTS(double)
#undef LONGTAKE_TTT_INPUTS

}  // namespace longtake
