// What a fuzz target demands of the code it feeds.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace longtake {

// Ends the program, which is how a fuzzer learns that it found something. Not an assert: it holds in every
// build.
inline void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace longtake
