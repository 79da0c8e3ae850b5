// Keeps FFmpeg quiet and hears its errors. Private to core/media.
//
// Note: FFmpeg's log
// Much damage leaves no other trace than a line in FFmpeg's log: a decoder that conceals a broken macroblock
// returns success, and a demuxer at a torn end returns a plain end of file. So lines of level "error" or
// worse count as damage. FFmpeg has one log for the whole process; it is given one callback, which prints
// nothing and finds the stream that a line belongs to by two marks:
//   - the thread that called FFmpeg: an ErrorLog::Scope on its stack names the log (demuxers, parsers,
//   decoders),
//   - for FFmpeg's own decoder threads: AVCodecContext::opaque, which FFmpeg copies into each thread's
//   context.
// Lines about sound and subtitles are not about the pictures and are left out.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace longtake {

class ErrorLog {
 public:
  // Lines that this thread's calls of FFmpeg log while it lives go to `log`. Nests.
  class Scope {
   public:
    explicit Scope(ErrorLog& log) noexcept;
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ErrorLog* outer_;
  };

  ErrorLog();  // the first one in the process takes over FFmpeg's log
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

  std::int64_t lines() const noexcept { return lines_.load(std::memory_order_acquire); }
  std::string last_line() const;  // empty if there is none

  void add(std::string line);  // any thread

 private:
  std::atomic<std::int64_t> lines_ = 0;
  mutable std::mutex mutex_;
  std::string last_line_;
};

}  // namespace longtake
