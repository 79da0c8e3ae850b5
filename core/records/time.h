// Stream time as people read it. Inside, time stays an integer pts with its time base; seconds are only
// shown.
#pragma once

#include <cstdint>

namespace longtake {

// pts · num / den seconds, cut off (toward zero, never rounded) after the sixth decimal: the nearest double
// to that decimal number. Truncation keeps a shown time from lying at or after a frame that it stands before.
// Throws std::invalid_argument unless num > 0 and den > 0.
double seconds_truncated(std::int64_t pts, std::int64_t num, std::int64_t den);

}  // namespace longtake
