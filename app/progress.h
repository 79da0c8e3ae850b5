// How far a run has come, on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "app/settings.h"
#include "core/pipeline/stages.h"

namespace longtake {

// On a terminal one line that is drawn over itself, a few times a second; as JSON one line a second; otherwise
// nothing. One thread. The line is gone after clear().
class Progress {
 public:
  Progress(ProgressMode mode, const StreamInfo& info);

  void frame(const FrameTime& time);
  void clear();

  double seconds() const;  // since it was made

 private:
  using Clock = std::chrono::steady_clock;
  void draw(double elapsed) const;
  void print_json(double elapsed) const;
  // Of the whole stream, 0..1, if its length is known.
  std::optional<double> share_done() const;

  enum class Style { kNone, kLine, kJson } style_ = Style::kNone;
  std::optional<double> duration_s_;
  std::int64_t frames_ = 0;
  double first_t_ = 0;
  double last_t_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
  bool drawn_ = false;
};

// The same for videos that are encoded one after the other, see FeatureCacheOptions::on_frame.
class EncodingProgress {
 public:
  explicit EncodingProgress(ProgressMode mode) : mode_(mode) {}

  void frame(const StreamInfo& info, std::int64_t frames, double seconds);
  void clear();

 private:
  ProgressMode mode_;
  std::string source_;  // that `now_` is about
  std::optional<Progress> now_;
};

}  // namespace longtake
