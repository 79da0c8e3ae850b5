#include "core/records/time.h"

#include <stdexcept>

namespace longtake {
namespace {

__extension__ using Int128 = __int128;

constexpr std::int64_t kMicros = 1'000'000;
constexpr Int128 kMostSeconds = 1'000'000'000'000'000;  // beyond it a double has no decimals to spare

}  // namespace

double seconds_truncated(std::int64_t pts, std::int64_t num, std::int64_t den) {
  if (num <= 0 || den <= 0) throw std::invalid_argument("seconds_truncated: a time base must be above zero");
  const Int128 scaled = static_cast<Int128>(pts) * num;
  const Int128 whole = scaled / den;
  if (whole > kMostSeconds || whole < -kMostSeconds) return static_cast<double>(whole);
  const Int128 micros = whole * kMicros + scaled % den * kMicros / den;
  return static_cast<double>(micros) / static_cast<double>(kMicros);
}

}  // namespace longtake
