#include "app/studio/time_axis.h"

#include <algorithm>

namespace longtake {
namespace {

constexpr double kNearest_s = 0.2;  // no view shows less

}  // namespace

void TimeAxis::set_whole(double from, double to) {
  if (from == begin_ && to == end_) return;
  const bool all = from_ <= begin_ && to_ >= end_;
  const bool at_end = !all && to_ >= end_;
  const double more = to - end_;
  begin_ = from;
  end_ = to;
  if (all) {
    set_range(begin_, end_);
  } else if (at_end) {
    set_range(from_ + more, to_ + more);
  } else {
    Q_EMIT range_changed();
  }
}

void TimeAxis::clear() {
  set_in(std::nullopt);
  set_out(std::nullopt);
  set_hover(std::nullopt);
  set_playhead(0);
  set_whole(0, 0);
  show_all();
}

void TimeAxis::show(double from, double to) {
  if (std::exchange(followed_, std::nullopt)) Q_EMIT followed_changed();
  set_range(from, to);
}

void TimeAxis::follow(std::optional<double> seconds) {
  if (seconds == followed_) return;
  followed_ = seconds;
  Q_EMIT followed_changed();
  show_newest();
}

void TimeAxis::set_newest(double t) {
  newest_ = t;
  show_newest();
}

void TimeAxis::show_newest() {
  if (!followed_) return;
  *followed_ > 0 ? set_range(newest_ - *followed_, newest_) : set_range(begin_, end_);
}

void TimeAxis::set_range(double from, double to) {
  const double width = std::clamp(to - from, std::min(kNearest_s, end_ - begin_), end_ - begin_);
  from_ = std::clamp(from, begin_, std::max(begin_, end_ - width));
  to_ = from_ + width;
  Q_EMIT range_changed();
}

void TimeAxis::zoom(double factor, double around) {
  const double width =
      std::clamp((to_ - from_) * factor, std::min(kNearest_s, end_ - begin_), std::max(kNearest_s, end_ - begin_));
  const double share = to_ > from_ ? (around - from_) / (to_ - from_) : 0.5;
  show(around - share * width, around + (1 - share) * width);
}

void TimeAxis::set_playhead(double t) {
  if (t == playhead_) return;
  playhead_ = t;
  Q_EMIT playhead_changed();
}

void TimeAxis::set_hover(std::optional<double> t) {
  if (t == hover_) return;
  hover_ = t;
  Q_EMIT hover_changed();
}

void TimeAxis::set_in(std::optional<double> t) {
  in_ = t;
  if (in_ && out_ && *out_ < *in_) out_.reset();
  Q_EMIT marks_changed();
}

void TimeAxis::set_out(std::optional<double> t) {
  out_ = t;
  if (in_ && out_ && *in_ > *out_) in_.reset();
  Q_EMIT marks_changed();
}

}  // namespace longtake
