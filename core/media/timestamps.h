// Exact time: from what a decoder says about a frame to a pts that always increases. Pure, no FFmpeg.
//
// Note: Time
// A frame's time is an integer pts in the stream's time base, from the demuxer to the last export. Seconds
// are made from it for people only. For a sound stream the pts is exactly what the container says; the rules
// below act where it says nothing or nonsense, and every frame they touch is marked `repaired`:
//   1. the decoder's pts of the frame; if it has none,
//   2. its best guess (the decode time stamp, in streams that carry only those); if there is none,
//   3. the previous pts plus the usual gap: the previous frame's own duration, else one over the stream's
//   frame rate,
//      else 1/25 s; for the first frame 0.
// A pts that does not increase is moved behind the previous one. Stamps that fall back by no more than half a
// second or one usual gap are jitter: the frame comes one tick later, so that one bad stamp does not push its
// successors. Stamps that fall back further come from a clock that started again, as where two recordings
// were joined: the frame comes the usual gap later, so that the second part keeps its pace. Guess 2 alone is
// not a repair: it is a time stamp of the stream.
//
// A jump is reported where the stream's own stamps leap forward by more than 10 s and by more than ten times
// both the usual gap and the step before, or where its clock starts again. Frames around a jump are delivered
// like all others.
//
// All this looks back no further than two frames, so a run that starts in the middle and has decoded two
// sound frames says what a run from the start says.
#pragma once

#include <cstdint>
#include <optional>

#include "core/media/source.h"

namespace longtake {

// What a decoder says about the time of one frame, in ticks of the stream's time base.
struct DecodedTime {
  std::optional<std::int64_t> pts;
  std::optional<std::int64_t> best_effort;
  std::int64_t duration = 0;  // 0: unknown
};

struct StreamTime {
  std::int64_t pts = 0;
  bool repaired = false;
  std::int64_t jump = 0;  // ticks the stream's own stamps leapt just before this frame; 0: they did not
};

// One per stream, fed with every decoded frame in output order.
class Timeline {
 public:
  // Both in lowest or any terms, den > 0; a frame rate of 0 means unknown.
  Timeline(Rational time_base, Rational frame_rate);

  StreamTime next(const DecodedTime& time);
  void restart();  // forgets all frames, as after a seek

 private:
  bool is_restart(std::int64_t step) const;
  bool is_leap(std::int64_t step) const;

  std::int64_t second_ = 1;       // ticks, at least one
  std::int64_t nominal_gap_ = 1;  // ticks
  std::optional<std::int64_t> previous_pts_;
  std::int64_t previous_stamp_ = 0;  // what the stream said of the previous frame, before any repair
  std::int64_t previous_step_ = 0;
  std::int64_t previous_duration_ = 0;
};

// The least pts whose time is not before `seconds`: t >= seconds exactly when pts >= this. Saturates.
std::int64_t first_pts_at_or_after(Rational seconds, Rational time_base);

// The same for a point given either way.
std::int64_t first_pts_at_or_after(const TimePoint& point, Rational time_base);

// Note: Thinning
// `fps` keeps at most so many frames a second without touching the others' times: the stream is cut into
// cells of 1/fps, the first starting at the first frame's pts, and the first frame in each cell is kept.
// Exact rationals, so no drift; a stream slower than fps is kept whole; and what is kept depends on the first
// pts and the last kept one alone, so that a continued run keeps the same frames.
class Thinning {
 public:
  Thinning(Rational fps, Rational time_base, std::int64_t first_pts);

  bool keep(std::int64_t pts);                 // in stream order; true moves on to the next cell
  void continue_after(std::int64_t kept_pts);  // as if this frame had just been kept

 private:
  std::int64_t cell(std::int64_t pts) const;

  Rational fps_;
  Rational time_base_;
  std::int64_t first_pts_;
  std::int64_t last_cell_ = -1;
};

}  // namespace longtake
