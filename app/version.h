#pragma once

namespace longtake {

inline constexpr char kVersion[] = LONGTAKE_VERSION;

}  // namespace longtake
