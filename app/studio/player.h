// Shows a video to people: any frame, forwards and backwards, at any speed. What it shows are the frames that an analysis
// watches, each with the same pts; they come from the same decoder.
//
// Never blocks: every call is a wish that the player's own thread fulfils. Wishes that nobody can see fulfilled any more
// (the seek before the last one) are dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/media/picture.h"
#include "core/media/source.h"
#include "core/result.h"

namespace longtake {

class Player {
 public:
  struct Shown {
    std::int64_t pts = 0;
    double t = 0;  // seconds
    bool playing = false;
    bool at_start = false, at_end = false;   // no frame lies before, behind it
    std::int64_t passed_over = 0;            // frames since the one shown before that came too late to be seen
    std::shared_ptr<const Picture> picture;  // as it was decoded
    std::shared_ptr<const RgbImage> image;
  };
  // Called on the player's thread, as soon as the first frame is there.
  struct Listener {
    std::function<void(const StreamInfo&)> opened;
    std::function<void(const Error&)> failed;  // it could not be opened, or broke off
    std::function<void(Shown)> shown;
  };

  // Opens `uri` (SourceSpec::uri) and shows its first frame, no larger than width x height.
  Player(std::string uri, int width, int height, Listener listener);
  // Stops; takes no longer than the decoder takes for a frame.
  ~Player() = default;
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  void seek(std::int64_t pts);  // the first frame at or after it; the last one if there is none
  void step(int frames);        // below 0: back; stops playing
  void play(double speed);      // 1: as recorded; below 0: backwards; 0: stops
  // Playing starts again at the first when it has passed the last; none: it does not.
  struct Loop {
    std::int64_t first = 0, last = 0;  // pts
  };
  void loop(std::optional<Loop> loop);
  void resize(int width, int height);  // of what is shown; its shape is kept

 private:
  using Clock = std::chrono::steady_clock;
  struct Wishes {
    std::optional<std::int64_t> seek;
    int steps = 0;
    std::optional<double> speed;
    bool redraw = false;
  };

  void run(const std::stop_token& stop);
  bool open(std::optional<std::int64_t> from, const std::stop_token& stop);
  bool decode(const std::stop_token& stop);
  bool advance(const std::stop_token& stop);
  bool retreat(const std::stop_token& stop);
  void go_to(std::int64_t pts, const std::stop_token& stop);
  void show();
  bool too_late() const;
  void keep_time();
  std::optional<Clock::time_point> due(std::int64_t pts) const;
  double seconds(std::int64_t pts) const;
  std::int64_t ticks(double seconds) const;

  const std::string uri_;
  const Listener listener_;

  // Of the thread.
  std::unique_ptr<FrameSource> source_;
  StreamInfo info_;
  std::deque<Frame> kept_;  // one behind the other; the source goes on behind the last of them
  std::size_t at_ = 0;      // which of them is shown
  std::size_t most_kept_ = 8;
  bool ended_ = false;      // the source has no more
  bool from_start_ = true;  // kept_ begins with the first frame of all
  double speed_ = 0;
  Clock::time_point since_{};  // when since_pts_ was shown, for the speed to be kept
  std::int64_t since_pts_ = 0;
  Clock::time_point shown_at_{};  // the last one
  std::int64_t passed_over_ = 0;
  PictureConverter converter_;

  std::mutex mutex_;
  std::condition_variable_any wished_;
  Wishes wishes_;
  std::optional<Loop> loop_;
  int width_, height_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
