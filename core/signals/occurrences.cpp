#include "core/signals/occurrences.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace longtake {
namespace {

// To the nearest of those that were kept by then; root mean square, as everything that RobustScale is shown.
std::optional<double> nearest(const PastDistances& past, double by) {
  std::optional<double> least;
  for (const KeptFrame& kept : past.kept) {
    if (kept.at < by && (!least || kept.apart < *least)) least = kept.apart;
  }
  if (least) least = std::sqrt(*least);
  return least;
}

// So many seconds ago; in a young stream its first half is old.
double ago(double watched, double seconds) { return watched - std::min(seconds, watched / 2); }

}  // namespace

std::optional<double> Occurrences::step(const Observation& frame, bool blank, std::vector<EventRecord>& events) {
  while (waiting_count_ > 0 && frame.t >= waiting_[0].last.t + kWaitSeconds &&
         frame.frame >= waiting_[0].last.frame + kWaitFrames) {
    tell_first(events);
  }
  if (!frame.past) return std::nullopt;
  const PastDistances& past = *frame.past;
  watched_ = past.watched;
  if (blank) {
    // Neither the way into it nor the way out of it is news.
    is_open_ = false;
    waiting_count_ = 0;
    blank_until_ = watched_ + kNearSeconds;
  }
  if (watched_ < blank_until_) return std::nullopt;

  const SurpriseTest::Verdict verdict = change_.judge(past.change, frame.t, frame.dt, !is_open_);
  if (an_hour_) bar_ = std::max(kLowestBar, bar_ * std::pow(kRaise, -*an_hour_ / 3600 * frame.dt));
  const bool stands_out = an_hour_ ? verdict.surprise >= bar_ : verdict.boundary >= 0.5F;
  if (!is_open_ && stands_out && watched_ >= kLeastPast) {
    is_open_ = true;
    open_ = {};
    open_.first = {frame.frame, frame.pts, frame.t};
    open_.began = open_.moved = watched_;
    open_.was_strange = strange_;
    known_until_ = ago(watched_, kKnownSeconds);
  }
  if (strange_ && watched_ - strange_since_ > kAccustomSeconds) strange_ = false;

  const bool calm = !is_open_ && !strange_;
  std::optional<double> sustained = nearest(past, calm ? ago(watched_, kKnownSeconds) : known_until_);
  if (sustained) sustained = ordinary_.standing(*sustained);
  if (const auto near = nearest(past, ago(watched_, kNearSeconds)); calm && near) ordinary_.add(*near, frame.t);
  if (is_open_) {
    go_on(frame, verdict, sustained);
    if (watched_ - open_.moved >= kSettleSeconds || watched_ - open_.began >= kLongestSeconds) settle(events);
  }
  return sustained;
}

void Occurrences::go_on(const Observation& frame, const SurpriseTest::Verdict& verdict,
                        std::optional<double> sustained) {
  const Moment now{frame.frame, frame.pts, frame.t};
  open_.last = now;
  if (verdict.surprise >= SurpriseTest::kTailStart) open_.moved = watched_;
  open_.score = std::max(open_.score, double(verdict.surprise));
  open_.confidence = std::max(open_.confidence, double(verdict.boundary));
  const bool known = sustained && *sustained < kLevel;
  if (known && !open_.is_known) open_.known = now;
  open_.is_known = known;
  if (!known) open_.last_strange = frame.frame;
}

void Occurrences::settle(std::vector<EventRecord>& events) {
  is_open_ = false;
  strange_ = !open_.is_known;
  strange_since_ = open_.began;
  if (waiting_count_ == kWaiting) tell_first(events);
  waiting_[static_cast<std::size_t>(waiting_count_++)] = open_;
}

void Occurrences::tell_first(std::vector<EventRecord>& events) {
  const Change change = waiting_[0];
  std::rotate(waiting_.begin(), waiting_.begin() + 1, waiting_.end());
  waiting_[static_cast<std::size_t>(--waiting_count_)] = {};
  if (change.in_light) return;
  const auto tell = [&](const char* kind, const Moment& at, std::int64_t last) {
    EventRecord event;
    event.kind = kind;
    event.frame = at.frame;
    event.pts = at.pts;
    event.t = at.t;
    event.score = change.score;
    event.confidence = change.confidence;
    event.span = {change.first.frame, last};
    events.push_back(std::move(event));
    if (an_hour_) bar_ = std::min(kHighestBar, bar_ * kRaise);
  };
  // What was strange and is known again has only come back, however it left.
  const bool came_back = change.was_strange && change.is_known;
  if (change.last_strange >= 0 && !came_back && !change.in_shot_change)
    tell("novelty", change.first, change.last_strange);
  if (change.is_known) tell("return", change.known, change.known.frame);
}

void Occurrences::explain(const EventRecord& event) {
  const bool shot = event.kind == "cut" || event.kind == "gradual" || event.kind == "boundary";
  if (!shot && event.kind != "flash" && event.kind != "light") return;
  const auto look_at = [&](Change& change) {
    // A frame more on each side: the two tests need not agree to the frame.
    if (change.first.frame < event.span[0] - 1 || change.first.frame > event.span[1] + 1) return;
    (shot ? change.in_shot_change : change.in_light) = true;
  };
  for (Change& change : std::span(waiting_).first(static_cast<std::size_t>(waiting_count_))) look_at(change);
  if (is_open_) look_at(open_);
}

void Occurrences::flush(std::vector<EventRecord>& events) {
  if (is_open_) settle(events);
  while (waiting_count_ > 0) tell_first(events);
  strange_ = false;
}

}  // namespace longtake
