#pragma once

#include <string>

namespace longtake {

// Of the decoding library that this program runs with, for people.
std::string media_library_version();

}  // namespace longtake
