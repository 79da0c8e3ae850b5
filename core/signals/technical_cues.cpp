#include "core/signals/technical_cues.h"

#include <algorithm>
#include <cstdlib>

namespace longtake {

void TechnicalCues::step(const Observation& frame, std::vector<EventRecord>& events) {
  std::int64_t sum = 0;
  std::int64_t change = 0;
  int peak = 0;
  std::array<int, 3> darkest{255, 255, 255}, brightest{};
  for (std::size_t i = 0; i < frame.thumbnail.size(); ++i) {
    const int level = frame.thumbnail[i];
    sum += level;
    peak = std::max(peak, level);
    darkest[i % 3] = std::min(darkest[i % 3], level);
    brightest[i % 3] = std::max(brightest[i % 3], level);
    change += std::abs(level - last_[i]);
  }
  const auto levels = static_cast<double>(frame.thumbnail.size());
  const bool black = static_cast<double>(sum) / levels < kBlackMean && peak < kBlackPeak;
  bool one_colour = !black;
  for (std::size_t c = 0; c < 3; ++c) one_colour = one_colour && brightest[c] - darkest[c] <= kOneColour;
  // Such pictures do not change either; they are reported once.
  const bool frozen = !black && !one_colour && has_last_ && frame.dt > 0 && static_cast<double>(change) / levels < kFrozenChange;
  has_last_ = true;
  last_ = frame.thumbnail;
  extend(black_, black, frame, "black", kBlackSeconds, events);
  extend(no_signal_, one_colour, frame, "no_signal", kNoSignalSeconds, events);
  extend(frozen_, frozen, frame, "frozen", kFrozenSeconds, events);
}

void TechnicalCues::flush(std::vector<EventRecord>& events) {
  close(black_, "black", kBlackSeconds, events);
  close(no_signal_, "no_signal", kNoSignalSeconds, events);
  close(frozen_, "frozen", kFrozenSeconds, events);
  has_last_ = false;
}

void TechnicalCues::extend(Run& run, bool holds, const Observation& frame, std::string_view kind, double least_seconds,
                           std::vector<EventRecord>& events) {
  if (!holds) {
    close(run, kind, least_seconds, events);
    return;
  }
  if (!run.open) run = {true, {frame.frame, frame.frame}, frame.pts, {frame.t, frame.t}};
  run.frames[1] = frame.frame;
  run.t[1] = frame.t;
}

void TechnicalCues::close(Run& run, std::string_view kind, double least_seconds, std::vector<EventRecord>& events) {
  if (!run.open) return;
  run.open = false;
  const double seconds = run.t[1] - run.t[0];
  if (seconds < least_seconds) return;
  EventRecord event;
  event.kind = kind;
  event.frame = run.frames[0];
  event.pts = run.pts;
  event.t = run.t[0];
  event.score = seconds;
  event.confidence = 1;
  event.span = run.frames;
  events.push_back(std::move(event));
}

}  // namespace longtake
