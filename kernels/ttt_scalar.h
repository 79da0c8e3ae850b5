// The plain way: for every shape and every machine. Others include kernels/ttt.h.
#pragma once

#include "kernels/ttt_backward.h"

namespace longtake {

template <class T>
TttBackend<T> ttt_scalar_backend();  // T is float or double

// Its backward pass, ttt_backward_scalar.cpp.
template <class T>
std::size_t ttt_scalar_backward_scratch_size(const TttShape& shape, int every);
template <class T>
void ttt_scalar_backward(const TttShape& shape, const TttCall<T>& call, const TttCheckpoints<T>& checkpoints,
                         const TttGradients<T>& gradients);

}  // namespace longtake
