#include "app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace longtake {
namespace {

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(ProgressMode mode, const StreamInfo& info) : duration_s_(info.duration_s) {
  if (mode == ProgressMode::kJson) style_ = Style::kJson;
  if (mode == ProgressMode::kAuto && isatty(STDERR_FILENO) != 0) style_ = Style::kLine;
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void Progress::frame(const FrameTime& time) {
  if (frames_ == 0) first_t_ = time.t;
  ++frames_;
  last_t_ = time.t;
  if (style_ == Style::kNone) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(style_ == Style::kLine ? 200 : 1000);
  const double elapsed = std::max(1e-3, seconds());
  style_ == Style::kLine ? draw(elapsed) : print_json(elapsed);
  drawn_ = style_ == Style::kLine;
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

std::optional<double> Progress::share_done() const {
  if (!duration_s_ || *duration_s_ <= 0) return std::nullopt;
  return std::clamp((last_t_ - first_t_) / *duration_s_, 0.0, 1.0);
}

void Progress::draw(double elapsed) const {
  constexpr int kCells = 24;
  std::string line = "\r";
  const std::optional<double> done = share_done();
  if (done) {
    const int full = static_cast<int>(*done * kCells);
    line += fmt::format("[{:=>{}}{: >{}}] {:3.0f} %  ", "", full, "", kCells - full, *done * 100);
  }
  line += fmt::format("{} frames  {:.0f}/s  {:.1f}x real time", frames_, static_cast<double>(frames_) / elapsed,
                      (last_t_ - first_t_) / elapsed);
  if (done && *done > 0.01) line += fmt::format("  {} left", clock_text(elapsed * (1 - *done) / *done));
  line += "\x1b[K";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void Progress::print_json(double elapsed) const {
  std::string line = fmt::format(R"({{"type":"progress","frames":{},"t":{:.3f},"frames_per_s":{:.2f},"x_realtime":{:.3f})",
                                 frames_, last_t_, static_cast<double>(frames_) / elapsed, (last_t_ - first_t_) / elapsed);
  if (const auto done = share_done()) {
    line += fmt::format(R"(,"done":{:.4f})", *done);
    if (*done > 0.01) line += fmt::format(R"(,"eta_s":{:.1f})", elapsed * (1 - *done) / *done);
  }
  fmt::print(stderr, "{}}}\n", line);
}

void EncodingProgress::frame(const StreamInfo& info, std::int64_t frames, double seconds) {
  if (!now_ || source_ != info.source) {
    now_.emplace(mode_, info);
    source_ = info.source;
  }
  FrameTime time;
  time.ordinal = frames - 1;
  time.t = seconds;
  now_->frame(time);
}

void EncodingProgress::clear() {
  if (now_) now_->clear();
}

}  // namespace longtake
