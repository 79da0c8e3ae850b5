// The one place where frames may be dropped: between a live source, which does not wait, and whoever watches it.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>

#include "core/media/source.h"

namespace longtake {

enum class DropPolicy {
  kOldest,    // the newest frames are watched, with as little delay as can be
  kBlock,     // none is dropped: the source has to wait (files, and streams whose sender can)
  kAdaptive,  // while watching is too slow, only every second, fourth, eighth frame goes in: few gaps, all alike
};

class FrameBuffer {
 public:
  using Clock = std::chrono::steady_clock;

  struct Item {
    Frame frame;
    std::optional<Discontinuity> before;  // stands right before the frame, and stays if the frame is dropped
    std::int64_t decode_errors = 0;       // of the source, up to this frame
    Clock::time_point arrived{};
  };

  enum Reason { kQueueFull, kThinned, kStopped, kReasons };
  static constexpr std::array<std::string_view, kReasons> kReasonNames = {"queue_full", "thinned", "stopped"};
  // frames_in = delivered + all of dropped + waiting
  struct Counts {
    std::int64_t frames_in = 0, delivered = 0;
    std::array<std::int64_t, kReasons> dropped{};  // kStopped: waited when it was closed for good
    std::size_t waiting = 0;
  };

  FrameBuffer(std::size_t capacity, DropPolicy policy) : capacity_(capacity < 1 ? 1 : capacity), policy_(policy) {}

  // False: it was closed, or a stop was asked for; the frame is then counted as dropped.
  bool push(Item item, const std::stop_token& stop);
  // Waits for an item. None: closed and empty, or a stop was asked for.
  std::optional<Item> pop(const std::stop_token& stop);
  // Nothing more goes in.
  void close();
  // And nothing more comes out.
  void abandon();
  Counts counts() const;

 private:
  bool goes_in();
  void drop(Item item, Reason reason);

  static constexpr int kMostStride = 8;
  static constexpr int kCalmFrames = 50;  // in a row that found nothing waiting, before more of them go in again

  const std::size_t capacity_;
  const DropPolicy policy_;
  mutable std::mutex mutex_;
  std::condition_variable_any room_, filled_;
  std::deque<Item> items_;
  std::optional<Discontinuity> pending_;  // of dropped frames behind which none came yet
  bool closed_ = false;
  Counts counts_;
  int stride_ = 1, phase_ = 0, calm_ = 0;
};

}  // namespace longtake
