#include "models/net/gemm.h"

namespace longtake {

bool gemm(std::int64_t, std::int64_t, std::int64_t, Factor, Factor, bool, float*) { return false; }

}  // namespace longtake
