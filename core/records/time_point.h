// Times and frame rates as people type them. Exact: decimals become fractions, never floating point.
#pragma once

#include <string_view>

#include "core/media/source.h"
#include "core/result.h"

namespace longtake {

// "12.5" or "12.5s", "2:05" and "00:02:05.500" (minutes and seconds have two digits and go up to 59, the
// first number may be larger), or "@3600": a pts in the stream's own time base, which may be negative. At
// most nine decimals and 10^9 seconds. Errors are of kind kUsage.
Result<TimePoint> parse_time(std::string_view text);

// "all" gives 0/1, otherwise "12.5" or "30000/1001": above 0, at most 1000 a second. Errors are of kind
// kUsage.
Result<Rational> parse_fps(std::string_view text);

}  // namespace longtake
