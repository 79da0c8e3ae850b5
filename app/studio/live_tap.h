// What an analysis is given, seen in passing: how many frames arrive, how many are watched and how soon, and the newest
// picture. A live source is read by nobody else; and the analysis never waits for those who look.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "app/studio/player.h"
#include "core/live/live_source.h"
#include "core/media/picture.h"
#include "core/media/source.h"
#include "core/records/records.h"

namespace longtake {

// Whether `uri` names something that goes on by itself and can be opened only once. Streams over HTTP count as files: they
// can be opened again.
bool is_live(const std::string& uri);

class LiveTap {
 public:
  using Clock = std::chrono::steady_clock;

  struct Counts {
    std::int64_t received = 0, watched = 0, dropped = 0, decode_errors = 0;
    LiveState state = LiveState::kStreaming;
    std::string why;                           // the source was lost; empty if it was not
    double received_fps = 0, watched_fps = 0;  // of the last seconds
    std::optional<double> latency_s;           // of the last watched frame, from its arrival to its record
    std::optional<double> silent_s;            // since the last frame; none: there was none
  };

  // `shown` gets the newest picture there is, as often as it returns and no sooner than `apart`, on the tap's own thread.
  LiveTap(int width, int height, std::function<void(Player::Shown)> shown, std::chrono::milliseconds apart = {});

  void opened(const StreamInfo& info);
  // From now on counts() are those of `source`, which is live; null: it is gone, and they stay as they were.
  void follow(LiveSource* source);
  void decoded(const Frame& frame, std::int64_t decode_errors);  // on the decoding thread
  void watched(std::span<const Record> records);                 // on the delivering thread
  void resize(int width, int height);
  Counts counts() const;  // any thread

 private:
  void run(const std::stop_token& stop);
  void ask_source() const;  // with mutex_ held

  const std::function<void(Player::Shown)> shown_;
  const std::chrono::milliseconds apart_;

  mutable std::mutex mutex_;
  std::condition_variable_any there_;
  StreamInfo info_;
  LiveSource* source_ = nullptr;
  int width_, height_;
  std::optional<Frame> newest_;  // not shown yet
  mutable Counts counts_;
  struct Arrival {
    std::int64_t pts = 0;
    Clock::time_point when;
  };
  std::deque<Arrival> waiting_;              // frames that were not watched yet
  std::deque<Clock::time_point> in_, done_;  // when the last frames came, and were watched

  std::jthread thread_;  // last: it uses all of the above
};

// A source whose frames are seen in passing. `tap` has to outlive it.
std::unique_ptr<FrameSource> tapped(std::unique_ptr<FrameSource> source, LiveTap& tap);

}  // namespace longtake
