// What makes a blocking call of FFmpeg, or a wait for a pipe, come back: a stop request or a deadline.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

namespace longtake {

// One per open input, used by the one thread that reads it: armed before it calls FFmpeg, and asked by FFmpeg
// while that call lasts.
class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  // `seconds` from now; without it there is no deadline. A deadline that was missed stays missed: FFmpeg may
  // hand out what it still held before it reports it.
  void arm(std::stop_token stop, std::optional<double> seconds) {
    stop_ = std::move(stop);
    limit_ = seconds;
    restart_clock();
  }
  // The other side shows life: the deadline moves on.
  void restart_clock() {
    if (limit_)
      deadline_ =
          Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*limit_));
  }

  bool stopped() const { return stop_.stop_requested(); }
  bool timed_out() const { return timed_out_; }
  double limit_s() const { return limit_.value_or(0); }

  bool due() {
    if (stopped()) return true;
    if (limit_ && Clock::now() >= deadline_) timed_out_ = true;
    return timed_out_;
  }

 private:
  std::stop_token stop_;
  std::optional<double> limit_;
  Clock::time_point deadline_;
  bool timed_out_ = false;
};

}  // namespace longtake
