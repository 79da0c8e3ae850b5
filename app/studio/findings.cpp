#include "app/studio/findings.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <variant>

namespace longtake {

void Findings::clear() {
  curves_.begin(0);
  levels_.clear();
  found_events_.clear();
  found_segments_.clear();
  gaps_.clear();
  first_t_ = last_t_ = 0;
  list_events();
  list_segments();
  Q_EMIT changed();
}

void Findings::take(std::vector<Record> records, Rational time_base) {
  if (time_base.num > 0) time_base_ = time_base;
  bool new_events = edits_.choices.thresholds.surprise.has_value(), new_segments = false;
  const auto take_one = [&](auto& one) {
    using T = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<T, HeaderRecord>) {
      time_base_ = {one.time_base[0], one.time_base[1]};
    } else if constexpr (std::is_same_v<T, FrameRecord>) {
      if (curves_.frames() == 0) {
        curves_.begin(static_cast<int>(one.layers.size()));
        first_t_ = one.t;
      }
      curves_.add(one);
      levels_.add(one);
      last_t_ = one.t;
    } else if constexpr (std::is_same_v<T, EventRecord>) {
      found_events_.push_back(std::move(one));
      new_events = true;
    } else if constexpr (std::is_same_v<T, SegmentRecord>) {
      found_segments_.push_back(std::move(one));
      new_segments = true;
    } else if constexpr (std::is_same_v<T, DiscontinuityRecord>) {
      const double t =
          static_cast<double>(one.pts) * static_cast<double>(time_base_.num) / static_cast<double>(time_base_.den);
      gaps_.push_back({t - one.gap_s, t});
      levels_.discontinue();
    }
  };
  for (Record& record : records) std::visit(take_one, record);
  if (new_events) list_events();
  if (new_segments) list_segments();
  Q_EMIT changed();
}

void Findings::edit(const Edits& edits) {
  const bool new_segments = edits.segments != edits_.segments || edits.choices.labels != edits_.choices.labels;
  edits_ = edits;
  list_events();
  if (new_segments) list_segments();
  Q_EMIT changed();
}

void Findings::label(LabelledMoments moments) {
  moments_ = std::move(moments);
  list_segments();
  Q_EMIT changed();
}

void Findings::list_events() {
  const auto& level = edits_.choices.thresholds.surprise;
  crossings_ = level ? levels_.events_at(*level) : std::vector<EventRecord>();
  events_.set(put_together(found_events_, crossings_, edits_));
}

void Findings::list_segments() {
  auto listed =
      put_together(found_segments_, edits_,
                   {[this](const Moment& moment) { return before(moment); }, [this](double t) { return from(t); }});
  label_segments(moments_, listed);
  segments_.set(std::move(listed));
}

Moment Findings::before(const Moment& moment) const {
  Moment out{moment.frame - 1, moment.pts, curves_.times().time_of(static_cast<double>(moment.frame - 1))};
  out.pts = pts_at(out.t);
  return out;
}

Moment Findings::from(double t) const {
  constexpr double kSameFrame = 5e-4;  // times are cut off at microseconds
  const auto& times = curves_.times();
  const double frame = std::ceil(times.frame_at(t) - kSameFrame);
  return {std::llround(frame), pts_at(t), std::max(t, times.time_of(frame))};
}

std::int64_t Findings::pts_at(double t) const {
  return std::llround(t * static_cast<double>(time_base_.den) / static_cast<double>(time_base_.num));
}

double Findings::watched_s() const {
  double out = last_t_ - first_t_;
  for (const Gap& gap : gaps_) out -= gap.to - gap.from;
  return out;
}

}  // namespace longtake
