#include "app/studio/findings.h"

#include <type_traits>
#include <utility>
#include <variant>

namespace longtake {

void Findings::clear() {
  curves_.begin(0);
  events_.clear();
  segments_.clear();
  gaps_.clear();
  last_t_ = 0;
  Q_EMIT changed();
}

void Findings::take(std::vector<Record> records, Rational time_base) {
  std::vector<EventRecord> events;
  const auto take_one = [&](auto& one) {
    using T = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<T, FrameRecord>) {
      if (curves_.frames() == 0) curves_.begin(static_cast<int>(one.layers.size()));
      curves_.add(one);
      last_t_ = one.t;
    } else if constexpr (std::is_same_v<T, EventRecord>) {
      events.push_back(std::move(one));
    } else if constexpr (std::is_same_v<T, SegmentRecord>) {
      segments_.push_back(std::move(one));
    } else if constexpr (std::is_same_v<T, DiscontinuityRecord>) {
      const double t =
          static_cast<double>(one.pts) * static_cast<double>(time_base.num) / static_cast<double>(time_base.den);
      gaps_.push_back({t - one.gap_s, t});
    }
  };
  for (Record& record : records) std::visit(take_one, record);
  events_.append(events);
  Q_EMIT changed();
}

}  // namespace longtake
