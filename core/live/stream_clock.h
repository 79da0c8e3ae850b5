// One time for a stream that is lost and found again. Every connection has time stamps of its own, with any start and any time
// base; results have the first one's, going on.
#pragma once

#include <cstdint>
#include <optional>

#include "core/media/source.h"

namespace longtake {

// One thread.
class StreamClock {
 public:
  // A connection begins. The first one keeps its times, or begins at `start` (in its time base); a later one goes on `gap_s`
  // (at least one tick) behind the last frame.
  // Throws std::invalid_argument unless the time base is above zero.
  void connect(Rational time_base, std::int64_t first_pts, double gap_s, std::optional<std::int64_t> start = {});
  // A time stamp of this connection in the first one's time base; always later than the one before.
  std::int64_t operator()(std::int64_t pts);

  Rational time_base() const { return base_; }
  std::optional<std::int64_t> last() const { return last_; }

 private:
  Rational base_{0, 1}, theirs_{0, 1};
  std::int64_t origin_ = 0;  // in theirs_, and
  std::int64_t offset_ = 0;  // where that is in base_
  std::optional<std::int64_t> last_;
};

}  // namespace longtake
