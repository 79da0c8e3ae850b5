#pragma once

namespace longtake {

// How many threads LibTorch may use inside one operation, for the whole process.
void use_threads(int count);

}  // namespace longtake
