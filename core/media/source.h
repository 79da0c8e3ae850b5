// Where frames come from: files, image sequences, pipes, streams. See Note: Time in core/media/timestamps.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/media/picture.h"
#include "core/result.h"

namespace longtake {

// Exact; den > 0. Time bases, frame rates and pixel aspects are never floating point.
struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;
};

struct StreamInfo {
  std::string source;  // the name shown to people and written to results: a file's last name, or a URL
                       // without secrets
  int width = 0;       // as shown, after rotation, of the first picture
  int height = 0;
  Rational time_base{1, 1};
  Rational sample_aspect{1, 1};      // width : height of a pixel, after rotation; 1/1 if unknown
  Rational frame_rate{0, 1};         // the container's guess, 0/1 if it has none; for progress only
  std::optional<double> duration_s;  // the container's guess; for progress only
  std::int64_t first_pts = 0;  // of the first frame that this source will deliver; the largest number if none
  std::string container;
  std::string codec;
  std::string pixel_format;
};

struct Frame {
  std::int64_t ordinal = 0;   // counts the frames this source has delivered, from 0
  std::int64_t pts = 0;       // in StreamInfo::time_base, strictly increasing
  bool pts_repaired = false;  // the stream had no usable time stamp here
  std::shared_ptr<const Picture> picture;
};

// Time does not go on smoothly here. A record of its own, never an event.
struct Discontinuity {
  std::string reason;  // "gap" (from a file: a jump as Note: Time defines it), "seek", "reconnect", "loop"
  std::int64_t ordinal = 0;  // of the frame that follows
  std::int64_t pts = 0;      // likewise
  double gap_s = 0;          // below 0 where the stream's clock fell back
};

struct EndOfStream {
  bool reached_range_end = false;  // true if `to` ended it, not the stream itself
};

using SourceItem = std::variant<Frame, Discontinuity, EndOfStream>;

// One stream of frames. Not thread-safe: one thread calls next() until EndOfStream or an error; after either,
// next() says the same again.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const StreamInfo& info() const noexcept = 0;
  // Blocks until a frame is there, the stream ends, it cannot go on (Error of kind kSource: a URL or pipe is
  // silent or gone), or `stop` is requested (kStopped).
  virtual Result<SourceItem> next(std::stop_token stop) = 0;
  // Packets and pictures that were damaged or lost, counted up to the item that next() returned last; at the
  // end, all. What did decode was delivered. See Note: Damaged streams and threads in
  // core/media/picture_reader.h.
  virtual std::int64_t decode_errors() const noexcept = 0;
  // Nothing more will be asked for. Frames that were there and never delivered, by reason: files have none.
  using Dropped = std::vector<std::pair<std::string, std::int64_t>>;
  virtual Dropped close() { return {}; }
};

// A point in stream time as a person gives it: seconds, or an exact pts in the stream's time base.
struct TimePoint {
  std::variant<Rational, std::int64_t> at;  // Rational: seconds. int64: pts
};

struct SourceSpec {
  std::string uri;                // path, URL, image sequence (dir/%05d.png), or "-" for standard input
  std::optional<TimePoint> from;  // frames with from <= t < to, exactly
  std::optional<TimePoint> to;
  Rational fps{0, 1};  // 0/1: every frame; otherwise at most so many a second, see Note: Thinning
  int decoder_threads = 2;
  std::optional<std::int64_t> resume_after_pts;  // deliver only frames later than this one, numbered from
  std::int64_t resume_ordinal = 0;               // resume_ordinal, with decode_errors() going on from
  std::int64_t resume_decode_errors = 0;         // resume_decode_errors; all three set from a checkpoint
  double open_timeout_s = 10;                    // for URLs
  double read_timeout_s = 30;                    // for URLs and pipes: no packet for so long is an error
};

// Note: Starting in the middle
// `from` and `resume_after_pts` deliver exactly the frames, pts and pixels, that an uninterrupted run
// delivers there. In mp4/mov and Matroska/WebM that can seek, with a codec whose key frames can be trusted,
// reading starts at the key frame before. That start is believed only if at least two frames come before the
// first wanted one, none of them damaged and none with a repaired time stamp; otherwise the key frame before
// that is tried, and then the stream is decoded from its start and passed over, as it is in all other
// containers (MPEG-TS and -PS, AVI, raw streams, numbered images, pipes), whose time stamps or indexes
// promise too little, and after a checkpoint that had counted decode errors. Decoding alone is many times
// faster than watching.

// Opens, and decodes the first frame, so an input of which nothing decodes is an error here. Looks for `from`
// and `resume_after_pts` too. Error kinds: kInput (missing, unreadable, no video, nothing decodes), kSource
// (as next()), kStopped. Throws std::invalid_argument for a spec with impossible numbers.
Result<std::unique_ptr<FrameSource>> open_source(const SourceSpec& spec, std::stop_token stop);

}  // namespace longtake
