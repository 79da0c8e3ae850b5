#include "app/studio/live_tap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/media/location.h"

namespace longtake {
namespace {

constexpr std::size_t kMostTimes = 256;     // frames that speeds and gaps are taken from
constexpr std::size_t kMostWaiting = 4096;  // frames between decoder and record; the pipeline holds far fewer
constexpr std::chrono::seconds kOfLate{3};

void note(std::deque<LiveTap::Clock::time_point>& times) {
  times.push_back(LiveTap::Clock::now());
  if (times.size() > kMostTimes) times.pop_front();
}

double seconds(LiveTap::Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// Frames a second, of late.
double rate(const std::deque<LiveTap::Clock::time_point>& times, LiveTap::Clock::time_point now) {
  const auto first = std::ranges::lower_bound(times, now - kOfLate);
  const auto n = times.end() - first;
  return n > 1 ? static_cast<double>(n) / seconds(now - *first) : 0;
}

class Tapped final : public FrameSource {
 public:
  Tapped(std::unique_ptr<FrameSource> source, LiveTap& tap) : source_(std::move(source)), tap_(tap) {}

  const StreamInfo& info() const noexcept override { return source_->info(); }
  Result<SourceItem> next(std::stop_token stop) override {
    auto item = source_->next(std::move(stop));
    if (item) {
      if (const auto* frame = std::get_if<Frame>(&*item)) tap_.decoded(*frame, source_->decode_errors());
    }
    return item;
  }
  std::int64_t decode_errors() const noexcept override { return source_->decode_errors(); }
  Dropped close() override { return source_->close(); }

 private:
  std::unique_ptr<FrameSource> source_;
  LiveTap& tap_;
};

}  // namespace

bool is_live(const std::string& uri) {
  static constexpr std::array<std::string_view, 8> kLive{"rtsp://", "rtsps://", "rtp://",  "udp://",
                                                         "srt://",  "tcp://",   "rtmp://", "mmsh://"};
  return std::ranges::any_of(kLive, [&](std::string_view scheme) { return uri.starts_with(scheme); }) ||
         names_camera(uri);
}

LiveTap::LiveTap(int width, int height, std::function<void(Player::Shown)> shown, std::chrono::milliseconds apart)
    : shown_(std::move(shown)),
      apart_(apart),
      width_(width),
      height_(height),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LiveTap::opened(const StreamInfo& info) {
  const std::scoped_lock lock(mutex_);
  info_ = info;
}

void LiveTap::follow(LiveSource* source) {
  const std::scoped_lock lock(mutex_);
  if (source == nullptr) ask_source();
  source_ = source;
}

void LiveTap::ask_source() const {
  if (source_ == nullptr) return;
  const LiveCounts now = source_->counts();
  counts_.received = now.received;
  counts_.dropped = std::accumulate(now.dropped.begin(), now.dropped.end(), std::int64_t{0});
  counts_.decode_errors = now.decode_errors;
  counts_.state = now.state;
  counts_.why = now.last_error;
}

void LiveTap::decoded(const Frame& frame, std::int64_t decode_errors) {
  {
    const std::scoped_lock lock(mutex_);
    newest_ = frame;
    ++counts_.received;
    counts_.decode_errors = decode_errors;
    note(in_);
    waiting_.push_back({frame.pts, in_.back()});
    if (waiting_.size() > kMostWaiting) waiting_.pop_front();
  }
  there_.notify_one();
}

void LiveTap::watched(std::span<const Record> records) {
  const std::scoped_lock lock(mutex_);
  for (const Record& record : records) {
    const auto* frame = std::get_if<FrameRecord>(&record);
    if (frame == nullptr) continue;
    if (source_ != nullptr) source_->watched(counts_.watched);
    ++counts_.watched;
    note(done_);
    while (!waiting_.empty() && waiting_.front().pts <= frame->pts) {
      if (waiting_.front().pts == frame->pts) counts_.latency_s = seconds(done_.back() - waiting_.front().when);
      waiting_.pop_front();
    }
  }
}

void LiveTap::resize(int width, int height) {
  const std::scoped_lock lock(mutex_);
  width_ = width;
  height_ = height;
}

LiveTap::Counts LiveTap::counts() const {
  const std::scoped_lock lock(mutex_);
  ask_source();
  const auto now = Clock::now();
  Counts out = counts_;
  out.received_fps = rate(in_, now);
  out.watched_fps = rate(done_, now);
  if (!in_.empty()) out.silent_s = seconds(now - in_.back());
  return out;
}

void LiveTap::run(const std::stop_token& stop) {
  PictureConverter converter;
  while (true) {
    std::optional<Frame> frame;
    StreamInfo info;
    int width = 0, height = 0;
    {
      std::unique_lock lock(mutex_);
      if (!there_.wait(lock, stop, [this] { return newest_.has_value(); }) || stop.stop_requested()) return;
      frame = std::exchange(newest_, std::nullopt);
      info = info_;
      width = width_;
      height = height_;
    }
    const double aspect = static_cast<double>(frame->picture->width()) * static_cast<double>(info.sample_aspect.num) /
                          (static_cast<double>(frame->picture->height()) * static_cast<double>(info.sample_aspect.den));
    const double fitted = std::min(static_cast<double>(width), static_cast<double>(height) * aspect);
    auto image = std::make_shared<RgbImage>();
    const auto side = [](double length) { return std::clamp(static_cast<int>(std::lround(length)), 4, 8192); };
    if (!converter.to_rgb(*frame->picture, side(fitted), side(fitted / aspect), *image))
      continue;  // the analysis says why
    Player::Shown shown;
    shown.pts = frame->pts;
    shown.t = static_cast<double>(frame->pts) * static_cast<double>(info.time_base.num) /
              static_cast<double>(info.time_base.den);
    shown.playing = true;
    shown.picture = frame->picture;
    shown.image = std::move(image);
    shown_(std::move(shown));
    std::unique_lock lock(mutex_);
    there_.wait_for(lock, stop, apart_, [] { return false; });
  }
}

std::unique_ptr<FrameSource> tapped(std::unique_ptr<FrameSource> source, LiveTap& tap) {
  return std::make_unique<Tapped>(std::move(source), tap);
}

}  // namespace longtake
