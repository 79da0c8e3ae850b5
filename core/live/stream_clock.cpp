#include "core/live/stream_clock.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace longtake {
namespace {

__extension__ using Int128 = __int128;

std::int64_t clamped(Int128 value) {
  // A quarter of the range, so that sums of what comes out do not overflow.
  constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max() / 4;
  return static_cast<std::int64_t>(std::clamp(value, -kMost, kMost));
}

// ticks of `from` in ticks of `to`, to the nearest.
std::int64_t rescaled(std::int64_t ticks, Rational from, Rational to) {
  const Int128 num = static_cast<Int128>(from.num) * to.den, den = static_cast<Int128>(from.den) * to.num;
  const Int128 whole = ticks / den, rest = ticks % den;  // so that the product fits
  const Int128 twice = 2 * rest * num;
  return clamped(whole * num + (twice + (twice < 0 ? -den : den)) / (2 * den));
}

}  // namespace

void StreamClock::connect(Rational time_base, std::int64_t first_pts, double gap_s, std::optional<std::int64_t> start) {
  if (time_base.num <= 0 || time_base.den <= 0)
    throw std::invalid_argument("StreamClock: a time base must be above zero");
  theirs_ = time_base;
  origin_ = first_pts;
  if (!last_) {
    base_ = time_base;
    offset_ = start.value_or(first_pts);
    return;
  }
  const double ticks =
      std::round(std::max(0.0, gap_s) * static_cast<double>(base_.den) / static_cast<double>(base_.num));
  constexpr double kMost = 1e15;
  offset_ = clamped(static_cast<Int128>(*last_) + static_cast<std::int64_t>(std::clamp(ticks, 1.0, kMost)));
}

std::int64_t StreamClock::operator()(std::int64_t pts) {
  const std::int64_t ours =
      clamped(static_cast<Int128>(offset_) + rescaled(clamped(static_cast<Int128>(pts) - origin_), theirs_, base_));
  last_ = last_ ? std::max(ours, *last_ + 1) : ours;
  return *last_;
}

}  // namespace longtake
