// The checks at the entry of the inner loop and of its backward pass. For the files of this folder.
#pragma once

#include <string>

#include "kernels/ttt.h"

namespace longtake::ttt_entry {

// These throw std::invalid_argument. A call of one token is short, so a sentence is only put together once it
// is needed.
[[noreturn]] void refuse(const std::string& what);
inline void require(bool holds, const char* what) {
  if (!holds) refuse(what);
}
inline void require(bool holds, const char* subject, int number, const char* rest = "") {
  if (!holds) refuse(std::string(subject) + " is " + std::to_string(number) + rest);
}
void check(const TttShape& shape);
// All of a call that both directions read: everything but its state, outputs and scratch.
template <class T>
void check_inputs(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call);
template <class T>
void check_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                   const TttState<T>& state);

}  // namespace longtake::ttt_entry
