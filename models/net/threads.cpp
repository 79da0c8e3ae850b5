#include "models/net/threads.h"

#include <ATen/Parallel.h>

namespace longtake {

void use_threads(int count) { at::set_num_threads(count); }

}  // namespace longtake
