#include "core/signals/light_changes.h"

#include <cmath>
#include <cstdlib>

namespace longtake {
namespace {

struct Comparison {
  double brighter = 0;     // of the mean, as a fraction of full brightness
  double change = 0;       // mean of a level's, likewise
  double correlation = 0;  // of levels; 0 where one of the pictures is of one level
};

Comparison compare(const Thumbnail& a, const Thumbnail& b) {
  // Whole numbers: exact, whatever the order.
  std::int64_t sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::int64_t x = a[i], y = b[i];
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
    apart += std::abs(x - y);
  }
  const auto n = static_cast<std::int64_t>(a.size());
  const auto levels = static_cast<double>(n) * 255;
  Comparison out;
  out.brighter = static_cast<double>(sum_b - sum_a) / levels;
  out.change = static_cast<double>(apart) / levels;
  const auto spread = [&](std::int64_t squares, std::int64_t sum) { return static_cast<double>(n * squares - sum * sum); };
  const double both = spread(aa, sum_a) * spread(bb, sum_b);
  if (both > 0) out.correlation = static_cast<double>(n * ab - sum_a * sum_b) / std::sqrt(both);
  return out;
}

}  // namespace

void LightChanges::step(const Observation& frame, std::vector<EventRecord>& events) {
  if (open_) {
    const Comparison since = compare(before_, frame.thumbnail);
    const double seconds = frame.t - t_;
    if (since.change < kBack) {
      if (seconds <= kFlashSeconds) events.push_back(event("flash"));
      open_ = false;
    } else if (seconds >= kLightSeconds) {
      if (std::abs(since.brighter) > kJump / 2 && since.correlation >= kSame) events.push_back(event("light"));
      open_ = false;
    }
    last_frame_ = frame.frame;
  } else if (has_last_) {
    const Comparison now = compare(last_, frame.thumbnail);
    if (std::abs(now.brighter) >= kJump) {
      open_ = true;
      before_ = last_;
      frame_ = last_frame_ = frame.frame;
      pts_ = frame.pts;
      t_ = frame.t;
      jump_ = now.brighter;
    }
  }
  has_last_ = true;
  last_ = frame.thumbnail;
}

void LightChanges::flush() { has_last_ = open_ = false; }

EventRecord LightChanges::event(const char* kind) const {
  EventRecord out;
  out.kind = kind;
  out.frame = frame_;
  out.pts = pts_;
  out.t = t_;
  out.score = std::abs(jump_);
  out.confidence = 1;
  out.span = {frame_, last_frame_};
  return out;
}

}  // namespace longtake
