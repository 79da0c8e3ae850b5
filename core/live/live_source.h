// A camera or stream that is meant to go on: read as it comes, found again when it is lost, and never waited for.
//
// Note: States
// connecting → streaming → stalled → backing off → connecting …; ended, when it is over for good. With no frame for a while (ten
// times what usually lies between two, five seconds at least) a source is stalled; after as long again, or when it says itself
// that it is gone, it is let go of and opened anew, each time after a longer wait. What comes then goes on in the same time,
// behind a Discontinuity "reconnect". Files may stand in for cameras: at the pace of their time stamps, and over and over.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "core/live/back_off.h"
#include "core/live/frame_buffer.h"
#include "core/live/latency.h"
#include "core/live/stream_clock.h"
#include "core/media/source.h"

namespace longtake {

enum class LiveState { kConnecting, kStreaming, kStalled, kBackingOff, kEnded };
std::string_view name_of(LiveState state);

struct LiveOptions {
  SourceSpec source;  // its read_timeout_s means nothing: see Note: States
  DropPolicy drop = DropPolicy::kOldest;
  std::size_t queue = 8;           // frames that may wait
  std::optional<int> max_retries;  // in a row that fail; none: for ever
  bool wait_for_first = true;      // false: what cannot be opened at first is an error
  double stalled_s = 5;            // least time without a frame that counts
  double first_back_off_s = 1, most_back_off_s = 30;
  bool realtime = false;   // a file's frames come when its time stamps say
  int loops = 1;           // of a file; 0: for ever
  std::uint64_t seed = 0;  // of the waits' jitter
};

// All that came is accounted for: received = processed + dropped + decode_errors + under way.
struct LiveCounts {
  LiveState state = LiveState::kConnecting;
  std::int64_t received = 0;   // frames, and pictures that did not decode
  std::int64_t processed = 0;  // watched
  std::array<std::int64_t, FrameBuffer::kReasons> dropped{};
  std::int64_t decode_errors = 0;
  std::int64_t reconnects = 0;      // after the first connection
  std::int64_t failures = 0;        // connections that ended or were not made
  std::size_t waiting = 0;          // in the queue
  std::optional<double> silent_s;   // since the last frame; none: there was none yet
  Latency queued, watching, whole;  // from arrival to the encoder, from there to the records, both together
  std::string last_error;           // without secrets

  std::int64_t under_way() const;  // waiting, or being watched
};

class LiveSource final : public FrameSource {
 public:
  using Connect = std::function<Result<std::unique_ptr<FrameSource>>(const SourceSpec&, std::stop_token)>;
  // Any thread; short.
  using StateChanged = std::function<void(LiveState, const std::string& why)>;

  // Waits for the first frame, however often that takes. Errors: those of open_source() for what cannot come back (files,
  // pipes), kSource (no frame, and no try left), kStopped.
  static Result<std::unique_ptr<LiveSource>> open(LiveOptions options, StateChanged changed, std::stop_token stop,
                                                  Connect connect = open_source);
  ~LiveSource() override;

  const StreamInfo& info() const noexcept override { return info_; }
  // Error kSource: lost, and no try left.
  Result<SourceItem> next(std::stop_token stop) override;
  std::int64_t decode_errors() const noexcept override { return decode_errors_; }
  Dropped close() override;

  void watched(std::int64_t ordinal);  // its records are written. One thread
  LiveCounts counts() const;           // any thread

 private:
  using Clock = std::chrono::steady_clock;
  enum class Ended { kLost, kOver, kStopped };  // how a connection was

  LiveSource(LiveOptions options, StateChanged changed, Connect connect);
  void read(const std::stop_token& stop);
  Ended read_connection(FrameSource& source, const std::stop_token& connection, const std::stop_token& stop);
  bool take_frame(Frame frame, std::int64_t decode_errors, const std::stop_token& stop);
  // What is to be done about a connection that failed or ended: false, if it was the last one.
  bool try_again(Error why, const std::stop_token& stop);
  void keep_watch(const std::stop_token& stop);
  void look_at_the_clock();
  void wait_until(Clock::time_point when, const std::stop_token& stop);
  void set_state(LiveState state, const std::string& why = {});
  void fail(Error error);

  const LiveOptions options_;
  const StateChanged changed_;
  const Connect connect_;
  bool comes_back_ = false;  // a lost source may be there again

  FrameBuffer buffer_;
  StreamInfo info_;  // of the first connection; set before anybody reads it

  // Of the reading thread.
  StreamClock clock_;
  BackOff back_off_;
  std::optional<Discontinuity> break_;
  std::int64_t errors_before_ = 0;  // of earlier connections
  int failures_ = 0;                // in a row
  Clock::time_point began_{};       // of the first frame, for the pace of files
  std::int64_t first_pts_ = 0;      // likewise
  std::int64_t last_step_ = 1;      // between the last two frames, in ticks

  mutable std::mutex mutex_;
  std::condition_variable_any told_;
  bool has_info_ = false;
  std::optional<Error> error_;
  LiveCounts counts_;
  Clock::time_point last_arrival_{};
  double gap_s_ = 0;             // usually between frames
  std::stop_source connection_;  // of the connection that is open
  bool reading_ = false;         // waits for the source, not for room
  Clock::time_point reading_since_{};
  struct Way {
    std::int64_t ordinal = 0;
    Clock::time_point arrived, taken;
  };
  std::deque<Way> under_way_;  // delivered, not watched yet

  // Of whoever calls next().
  std::optional<Frame> next_;
  std::int64_t ordinal_ = 0;
  std::int64_t decode_errors_ = 0;

  std::jthread reader_, watchman_;  // last: they use all of the above
};

}  // namespace longtake
