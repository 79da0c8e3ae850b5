// The plain way: ttt_scalar.cpp, for every shape and every machine. Others include kernels/ttt.h.
#pragma once

#include "kernels/ttt.h"

namespace longtake {

template <class T>
TttBackend<T> ttt_scalar_backend();  // T is float or double

}  // namespace longtake
