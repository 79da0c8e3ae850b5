#include "core/media/timestamps.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace longtake {
namespace {

__extension__ using Wide = __int128;

// Stamps beyond this are nonsense and would overflow in sums.
constexpr std::int64_t kFarthest = std::int64_t{1} << 62;
constexpr std::int64_t kLongestSeconds = 3600;  // a frame's duration beyond this is nonsense too
constexpr std::int64_t kJumpSeconds = 10;
constexpr std::int64_t kJumpFactor = 10;

Wide floor_div(Wide a, Wide b) {  // b > 0
  const Wide quotient = a / b;
  return quotient - (a % b < 0 ? 1 : 0);
}

std::int64_t saturate(Wide value) {
  return static_cast<std::int64_t>(std::clamp<Wide>(value, -kFarthest, kFarthest));
}

// A product of three numbers below 2^63, 2^31 and 2^31 fits; rates and time bases of real streams stay below
// 2^31.
void require_small(Rational r, const char* what) {
  constexpr std::int64_t limit = std::int64_t{1} << 31;
  if (r.den <= 0 || r.den >= limit || r.num < 0 || r.num >= limit) throw std::invalid_argument(what);
}

std::optional<std::int64_t> sane(std::optional<std::int64_t> stamp) {
  return stamp && *stamp > -kFarthest && *stamp < kFarthest ? stamp : std::nullopt;
}

}  // namespace

Timeline::Timeline(Rational time_base, Rational frame_rate) {
  require_small(time_base, "time base out of range");
  if (time_base.num == 0) throw std::invalid_argument("time base out of range");
  if (frame_rate.num <= 0 || frame_rate.den <= 0) frame_rate = {25, 1};
  second_ = std::max<std::int64_t>(1, time_base.den / time_base.num);
  const Wide per_frame = Wide{time_base.den} * frame_rate.den;
  const Wide per_tick = Wide{time_base.num} * frame_rate.num;
  nominal_gap_ = std::max<std::int64_t>(1, saturate((per_frame + per_tick / 2) / per_tick));
}

bool Timeline::is_restart(std::int64_t step) const { return -step > std::max(second_ / 2, nominal_gap_); }

bool Timeline::is_leap(std::int64_t step) const {
  const Wide usual = std::max(nominal_gap_, previous_step_);
  return step > Wide{kJumpSeconds} * second_ && step > kJumpFactor * usual;
}

StreamTime Timeline::next(const DecodedTime& time) {
  auto stamp = sane(time.pts);
  if (!stamp) stamp = sane(time.best_effort);
  const std::int64_t gap = previous_duration_ > 0 ? previous_duration_ : nominal_gap_;

  StreamTime result;
  if (!previous_pts_) {
    result = {stamp.value_or(0), !stamp, 0};
  } else if (!stamp) {
    result = {*previous_pts_ + gap, true, 0};
  } else {
    const std::int64_t step = *stamp - previous_stamp_;
    result.jump = is_restart(step) || is_leap(step) ? step : 0;
    result.repaired = *stamp <= *previous_pts_;
    const bool jitter = !is_restart(*stamp - *previous_pts_);
    result.pts = !result.repaired ? *stamp : *previous_pts_ + (jitter ? 1 : gap);
    previous_step_ = std::max<std::int64_t>(step, 0);
  }
  previous_pts_ = result.pts;
  previous_stamp_ = stamp.value_or(result.pts);
  previous_duration_ = time.duration > 0 && time.duration < kLongestSeconds * second_ ? time.duration : 0;
  return result;
}

void Timeline::restart() {
  previous_pts_.reset();
  previous_stamp_ = previous_step_ = previous_duration_ = 0;
}

std::int64_t first_pts_at_or_after(Rational seconds, Rational time_base) {
  require_small(time_base, "time base out of range");
  if (seconds.den <= 0 || time_base.num == 0)
    throw std::invalid_argument("a time needs a positive denominator");
  const Wide numerator = Wide{seconds.num} * time_base.den;
  const Wide denominator = Wide{seconds.den} * time_base.num;
  return saturate(-floor_div(-numerator, denominator));
}

std::int64_t first_pts_at_or_after(const TimePoint& point, Rational time_base) {
  if (const auto* pts = std::get_if<std::int64_t>(&point.at)) return *pts;
  return first_pts_at_or_after(std::get<Rational>(point.at), time_base);
}

Thinning::Thinning(Rational fps, Rational time_base, std::int64_t first_pts)
    : fps_(fps), time_base_(time_base), first_pts_(first_pts) {
  require_small(fps, "frames a second out of range");
  require_small(time_base, "time base out of range");
}

std::int64_t Thinning::cell(std::int64_t pts) const {
  const Wide cells = (Wide{pts} - first_pts_) * time_base_.num * fps_.num;
  return saturate(floor_div(cells, Wide{time_base_.den} * fps_.den));
}

bool Thinning::keep(std::int64_t pts) {
  const std::int64_t here = cell(pts);
  if (here <= last_cell_) return false;
  last_cell_ = here;
  return true;
}

void Thinning::continue_after(std::int64_t kept_pts) { last_cell_ = cell(kept_pts); }

}  // namespace longtake
