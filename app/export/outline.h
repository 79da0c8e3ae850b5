// What a result says in all: its passages of video and its events, with the times that other programs need. Curves and
// frames are not here, so that the outline of a long result stays small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

// More segments or events than this are refused.
inline constexpr std::size_t kMostOutlined = 200'000;

// A segment, with the time at which the next frame after it is shown: frames are shown until then.
struct Passage {
  std::int64_t first = 0, last = 0;         // frames
  std::int64_t start_pts = 0, end_pts = 0;  // end_pts > start_pts
  std::string title;                        // its label, "Segment 3: street car" or "Segment 3"; may hold line breaks
  std::vector<NamedScore> labels, scene;    // the best three
  std::optional<SegmentRecord::Surprise> surprise;
};

// An event and the span of time in which it happened.
struct Happening {
  EventRecord event;
  std::int64_t start_pts = 0,
               end_pts = 0;  // of the span's first frame and of the frame after its last; end_pts >= start_pts
};

struct Outline {
  HeaderRecord header;
  std::vector<Passage> passages;  // by time, none overlaps the one before
  std::vector<Happening> events;  // by time
  std::vector<DiscontinuityRecord> gaps;
  std::optional<EndRecord> end;  // none: the result breaks off
  std::int64_t frames = 0;
  std::int64_t first_pts = 0, end_pts = 0;  // of the first frame, and where the last one ends
  // What players call zero: they count from a video's start, and time stamps may begin elsewhere. The first frame's, unless
  // the analysis began in the middle of the video; then 0 until somebody who has the video knows better.
  std::int64_t zero_pts = 0;
  bool began_in_the_middle = false;

  // Time stamp to units of 1/scale seconds since zero_pts, cut off and not below 0. Cut off, because a time that lies at or
  // just before a frame's own makes every program that looks for "the first frame from here on" find that frame.
  std::int64_t since_zero(std::int64_t pts, std::int64_t scale) const;
  std::int64_t ticks_since_zero(std::int64_t pts) const;  // in units of the time base; likewise not below 0
  // Seconds as the result itself has them.
  double seconds(std::int64_t pts) const;
};

// Takes all records of a result in their order.
class OutlineBuilder {
 public:
  // Errors: kInput (more than can be held, a time base that is none).
  Result<void> take(const Record& record);
  Outline finish() &&;

 private:
  struct SeenFrame {
    std::int64_t frame = 0, pts = 0;
  };
  void see(const FrameRecord& frame);
  void add(const EventRecord& event);
  void add(const SegmentRecord& segment);
  void close_passages();

  Outline out_;
  std::vector<SegmentRecord> segments_;
  std::deque<SeenFrame> recent_;  // events tell their span by numbers of frames that came shortly before
};

}  // namespace longtake
