// SIGINT and SIGTERM as a stop request.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <stop_token>
#include <thread>

namespace longtake {

// One per program, made first thing in main(). The first signal asks for a stop; a second one, or kCleanUpSeconds
// without an end, ends the program at once with the signal's exit code.
//
// The signals are handled in a thread of their own and blocked in the one that makes this object and in all that it starts
// from then on: oneDNN's matrix products let the stack pointer stand in the middle of the heap while they run, and the frame
// that a signal pushes there would overwrite what lies below. Programs that are started by this one inherit the blocked
// signals and have to unblock them.
//
// Handlers and not sigwait(): a library that starts threads before main() leaves the signals unblocked in them.
class StopSignals {
 public:
  static constexpr int kCleanUpSeconds = 30;

  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  // 130 or 143 if that signal came, else 0.
  int exit_code() const;

 private:
  void wait();

  sigset_t mask_before_{};  // of the thread that made this
  std::stop_source stop_;
  std::atomic<int> signal_{0};
  std::array<int, 2> pipe_{-1, -1};  // handler → waiting thread: one byte a signal; closed at the end
  std::thread waiter_;
};

}  // namespace longtake
