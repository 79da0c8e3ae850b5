#include "app/studio/thumbnail_maker.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace longtake {
namespace {

// The player, the window and the analysis go first. On Linux a thread has a nice value of its own.
void give_way() {
  constexpr int kNice = 15;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

}  // namespace

ThumbnailMaker::ThumbnailMaker(std::string path, int width, int height, Made made)
    : path_(std::move(path)),
      width_(width),
      height_(height),
      made_(std::move(made)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ThumbnailMaker::want(std::vector<Wish> wishes) {
  {
    const std::scoped_lock lock(mutex_);
    wishes_ = std::move(wishes);
  }
  wished_.notify_one();
}

void ThumbnailMaker::run(const std::stop_token& stop) {
  give_way();
  auto glance = Glance::open(path_, stop);
  if (!glance) return;  // the player says why
  for (;;) {
    Wish wish;
    {
      std::unique_lock lock(mutex_);
      if (!wished_.wait(lock, stop, [&] { return !wishes_.empty(); })) return;
      // Key frames first: they are there at once.
      const auto next = std::ranges::find(wishes_, false, &Wish::has_key_frame);
      const auto chosen = next != wishes_.end() ? next : wishes_.begin();
      wish = *chosen;
      wishes_.erase(chosen);
    }
    if (!make(**glance, wish, stop)) return;
  }
}

bool ThumbnailMaker::make(Glance& glance, const Wish& wish, const std::stop_token& stop) {
  auto seen = wish.has_key_frame ? glance.frame(wish.moment, stop) : glance.key_frame(wish.moment, stop);
  if (!seen) return false;
  const Rational base = glance.time_base();
  const double t = static_cast<double>(seen->pts) * static_cast<double>(base.num) / static_cast<double>(base.den);
  const double off = wish.has_key_frame ? 0 : wish.moment - t;  // nothing is nearer than the frame itself
  if (seen->picture) made_(wish.moment, small(*seen), off);
  if (off <= wish.apart / 2 || !seen->picture) return true;
  const std::scoped_lock lock(mutex_);
  wishes_.push_back({wish.moment, wish.apart, true});
  return true;
}

QImage ThumbnailMaker::small(const Glance::Seen& seen) {
  const double aspect = static_cast<double>(seen.picture->width()) * static_cast<double>(seen.sample_aspect.num) /
                        (static_cast<double>(seen.picture->height()) * static_cast<double>(seen.sample_aspect.den));
  const double fitted = std::min(static_cast<double>(width_), height_ * aspect);
  RgbImage rgb;
  const int width = std::max(4, static_cast<int>(std::lround(fitted)));
  const int height = std::max(4, static_cast<int>(std::lround(fitted / aspect)));
  if (!converter_.to_rgb(*seen.picture, width, height, rgb)) return {};
  return QImage(rgb.pixels.data(), rgb.width, rgb.height, 3 * rgb.width, QImage::Format_RGB888).copy();
}

}  // namespace longtake
