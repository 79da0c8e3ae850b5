#include "app/studio/player.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace longtake {
namespace {

// Pictures that are kept to step back through, by what they take.
constexpr double kKeptPixels = 100e6;
constexpr std::size_t kMostKept = 96;
// A jump no farther ahead than this is decoded through, as opening anew takes about as long.
constexpr double kDecodedThrough_s = 1;
// How far behind its speed the player may fall before it jumps (faster than recorded) or lets time wait for it.
constexpr double kBehind_s = 0.25;
// However late frames are, one is shown this often.
constexpr double kShown_s = 0.1;

}  // namespace

Player::Player(std::string uri, int width, int height, Listener listener)
    : uri_(std::move(uri)),
      listener_(std::move(listener)),
      width_(width),
      height_(height),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Player::seek(std::int64_t pts) {
  {
    const std::scoped_lock lock(mutex_);
    wishes_.seek = pts;
    wishes_.steps = 0;
  }
  wished_.notify_one();
}

void Player::step(int frames) {
  {
    const std::scoped_lock lock(mutex_);
    wishes_.steps += frames;
    wishes_.speed = 0;
  }
  wished_.notify_one();
}

void Player::play(double speed) {
  {
    const std::scoped_lock lock(mutex_);
    wishes_.speed = speed;
  }
  wished_.notify_one();
}

void Player::loop(std::optional<Loop> loop) {
  const std::scoped_lock lock(mutex_);
  loop_ = loop;
}

void Player::resize(int width, int height) {
  {
    const std::scoped_lock lock(mutex_);
    if (width == width_ && height == height_) return;
    width_ = width;
    height_ = height;
    wishes_.redraw = true;
  }
  wished_.notify_one();
}

double Player::seconds(std::int64_t pts) const {
  return static_cast<double>(pts) * static_cast<double>(info_.time_base.num) / static_cast<double>(info_.time_base.den);
}

std::int64_t Player::ticks(double seconds) const {
  return std::llround(seconds * static_cast<double>(info_.time_base.den) / static_cast<double>(info_.time_base.num));
}

// A source that begins with the first frame at or after `from`. On failure the listener knows, and nothing has changed.
bool Player::open(std::optional<std::int64_t> from, const std::stop_token& stop) {
  SourceSpec spec;
  spec.uri = uri_;
  if (from) spec.from = TimePoint{*from};
  auto source = open_source(spec, stop);
  if (!source) {
    if (!stop.stop_requested()) listener_.failed(source.error());
    return false;
  }
  source_ = std::move(*source);
  kept_.clear();
  at_ = 0;
  ended_ = false;
  from_start_ = !from;
  return true;
}

bool Player::decode(const std::stop_token& stop) {
  while (!ended_ && source_) {
    auto item = source_->next(stop);
    if (!item) {
      ended_ = true;
      if (!stop.stop_requested()) listener_.failed(item.error());
      return false;
    }
    if (auto* frame = std::get_if<Frame>(&*item)) {
      kept_.push_back(std::move(*frame));
      if (kept_.size() > most_kept_) {
        kept_.pop_front();
        at_ = at_ > 0 ? at_ - 1 : 0;
        from_start_ = false;
      }
      return true;
    }
    if (std::holds_alternative<EndOfStream>(*item)) ended_ = true;
  }
  return false;
}

bool Player::advance(const std::stop_token& stop) {
  if (at_ + 1 >= kept_.size() && !decode(stop)) return false;
  if (at_ + 1 < kept_.size()) ++at_;
  return true;
}

bool Player::retreat(const std::stop_token& stop) {
  if (at_ > 0) {
    --at_;
    return true;
  }
  if (from_start_ || kept_.empty()) return false;
  // As far back as half of what can be kept reaches, and farther where that turned out to be the same frame.
  const std::int64_t here = kept_.front().pts;
  const double a_frame =
      kept_.size() > 1 ? (seconds(kept_.back().pts) - seconds(here)) / static_cast<double>(kept_.size() - 1) : 0.04;
  for (double back = std::max(a_frame * static_cast<double>(most_kept_) / 2, 0.02);; back *= 4) {
    const std::int64_t from = here - ticks(back);
    const bool whole = from <= info_.first_pts;
    if (!open(whole ? std::nullopt : std::optional(from), stop)) return false;
    while (decode(stop) && kept_.back().pts < here) {
    }
    const auto found = std::ranges::lower_bound(kept_, here, {}, &Frame::pts);
    if (found != kept_.begin()) {
      at_ = static_cast<std::size_t>(found - kept_.begin()) - 1;
      return true;
    }
    if (whole || stop.stop_requested()) return false;
  }
}

void Player::go_to(std::int64_t pts, const std::stop_token& stop) {
  const bool before = !from_start_ && (kept_.empty() || pts < kept_.front().pts);
  const bool far = !ended_ && !kept_.empty() && seconds(pts) - seconds(kept_.back().pts) > kDecodedThrough_s;
  if (before || far) {
    double back = 0;
    for (;; back = std::max(1.0, 4 * back)) {  // behind the last frame: from ever farther before it
      const std::int64_t from = pts - ticks(back);
      const bool whole = from <= info_.first_pts;
      if (!open(whole ? std::nullopt : std::optional(from), stop)) return;
      if (decode(stop)) break;
      if (whole || stop.stop_requested()) return;
    }
    while (back > 0 && decode(stop)) {
    }
  }
  if (kept_.empty()) return;
  while (kept_.back().pts < pts && decode(stop)) {
  }
  const auto found = std::ranges::lower_bound(kept_, pts, {}, &Frame::pts);
  at_ = found == kept_.end() ? kept_.size() - 1 : static_cast<std::size_t>(found - kept_.begin());
}

void Player::show() {
  if (kept_.empty()) return;
  const Frame& frame = kept_[at_];
  int width = 0, height = 0;
  {
    const std::scoped_lock lock(mutex_);
    width = width_;
    height = height_;
  }
  const double aspect = static_cast<double>(frame.picture->width()) * static_cast<double>(info_.sample_aspect.num) /
                        (static_cast<double>(frame.picture->height()) * static_cast<double>(info_.sample_aspect.den));
  // The whole picture inside the room there is, in its own shape.
  const double fitted = std::min(static_cast<double>(width), static_cast<double>(height) * aspect);
  const int shown_width = std::clamp(static_cast<int>(std::lround(fitted)), 4, 8192);
  const int shown_height = std::clamp(static_cast<int>(std::lround(fitted / aspect)), 4, 8192);
  auto image = std::make_shared<RgbImage>();
  if (auto done = converter_.to_rgb(*frame.picture, shown_width, shown_height, *image); !done) {
    listener_.failed(done.error());
    return;
  }
  shown_at_ = Clock::now();
  listener_.shown({frame.pts, seconds(frame.pts), speed_ != 0, from_start_ && at_ == 0,
                   ended_ && at_ + 1 == kept_.size(), std::exchange(passed_over_, 0), frame.picture, std::move(image)});
}

// Whether the moment of the next frame has come already, so that to make a picture of this one would make that one late too.
bool Player::too_late() const {
  if (speed_ == 0 || Clock::now() - shown_at_ > std::chrono::duration<double>(kShown_s)) return false;
  if (speed_ > 0 ? at_ + 1 >= kept_.size() : at_ == 0) return false;
  return Clock::now() > *due(kept_[speed_ > 0 ? at_ + 1 : at_ - 1].pts);
}

void Player::keep_time() {
  since_ = Clock::now();
  since_pts_ = kept_.empty() ? 0 : kept_[at_].pts;
}

std::optional<Player::Clock::time_point> Player::due(std::int64_t pts) const {
  if (speed_ == 0) return std::nullopt;
  const double after = (seconds(pts) - seconds(since_pts_)) / speed_;
  return since_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(after));
}

void Player::run(const std::stop_token& stop) {
  if (!open(std::nullopt, stop) || !decode(stop)) return;
  info_ = source_->info();
  const double pixels = static_cast<double>(info_.width) * info_.height;
  most_kept_ =
      static_cast<std::size_t>(std::clamp(kKeptPixels / std::max(pixels, 1.0), 8.0, static_cast<double>(kMostKept)));
  listener_.opened(info_);
  show();

  while (!stop.stop_requested()) {
    Wishes now;
    std::optional<Loop> loop;
    {
      std::unique_lock lock(mutex_);
      const auto wished = [&] { return wishes_.seek || wishes_.steps != 0 || wishes_.speed || wishes_.redraw; };
      // While playing, the wait for the next frame's moment is where wishes are heard.
      if (speed_ == 0) {
        wished_.wait(lock, stop, wished);
      } else if (at_ + 1 < kept_.size() || at_ > 0) {
        const std::size_t next = speed_ > 0 ? std::min(at_ + 1, kept_.size() - 1) : at_ - std::min<std::size_t>(at_, 1);
        if (next != at_) wished_.wait_until(lock, stop, *due(kept_[next].pts), wished);
      }
      now = std::exchange(wishes_, {});
      loop = loop_;
    }
    if (stop.stop_requested()) return;

    if (now.seek) go_to(*now.seek, stop);
    for (int i = 0; i < std::abs(now.steps) && !stop.stop_requested(); ++i) {
      if (!(now.steps > 0 ? advance(stop) : retreat(stop))) break;
    }
    const bool asked = now.seek || now.steps != 0 || now.speed || now.redraw;
    if (now.speed) speed_ = *now.speed;
    if (asked) {
      keep_time();
      show();
      // The next frame is decoded now, so that its moment is known.
      if (speed_ > 0 && at_ + 1 >= kept_.size() && !decode(stop)) speed_ = 0;
      continue;
    }
    if (speed_ == 0) continue;

    // Its moment has come: the next frame, or, where the machine is slower than that, the frame whose moment it is.
    bool moved = speed_ > 0 ? advance(stop) : retreat(stop);
    const double behind = std::chrono::duration<double>(Clock::now() - *due(kept_[at_].pts)).count();
    if (moved && behind > kBehind_s) {
      if (std::abs(speed_) > 1) go_to(kept_[at_].pts + ticks(behind * speed_), stop);
      keep_time();
    }
    if (loop && moved && speed_ > 0 && kept_[at_].pts > loop->last) {
      go_to(loop->first, stop);
      keep_time();
    }
    if (speed_ > 0 && moved && at_ + 1 >= kept_.size()) decode(stop);
    if (!moved || (speed_ > 0 && ended_ && at_ + 1 >= kept_.size())) {
      if (loop && moved) {
        go_to(loop->first, stop);
        keep_time();
      } else {
        speed_ = 0;
      }
    }
    too_late() ? void(++passed_over_) : show();
  }
}

}  // namespace longtake
