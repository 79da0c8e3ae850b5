#include "app/export/pictures.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/media/source.h"
#include "core/records/quoted.h"

namespace longtake {
namespace {

constexpr double kDecodedThrough_s = 3;  // opening anew at a key frame takes about as long
constexpr int kLeastSide = 4;            // of a picture

// Others are decoded from their start whatever is wanted of them, see Note: Starting in the middle.
bool can_start_in_the_middle(const StreamInfo& info) {
  return info.container.find("mp4") != std::string::npos || info.container.find("matroska") != std::string::npos;
}

class PictureReader {
 public:
  PictureReader(std::string video, int size, std::stop_token stop)
      : video_(std::move(video)), size_(size), stop_(std::move(stop)) {}

  Result<void> open(std::optional<std::int64_t> from) {
    SourceSpec spec;
    spec.uri = video_;
    if (from) spec.from = TimePoint{*from};
    auto source = open_source(spec, stop_);
    if (!source) return std::move(source).error();
    source_ = std::move(*source);
    frame_.reset();
    ended_ = false;
    return {};
  }
  const StreamInfo& info() const { return source_->info(); }

  Result<std::optional<RgbImage>> at(std::int64_t pts) {
    const double tick = static_cast<double>(info().time_base.num) / static_cast<double>(info().time_base.den);
    const std::int64_t here = frame_ ? frame_->pts : info().first_pts;
    const double ahead = (static_cast<double>(pts) - static_cast<double>(here)) * tick;
    if (ahead > kDecodedThrough_s && can_start_in_the_middle(info())) {
      auto opened = open(pts);
      if (!opened && opened.error().kind == ErrorKind::kStopped) return std::move(opened).error();
      if (!opened) return std::optional<RgbImage>();  // behind the last frame there is nothing to open
    }
    while (!ended_ && !(frame_ && frame_->pts >= pts)) {
      auto item = source_->next(stop_);
      if (!item) return std::move(item).error();
      if (auto* frame = std::get_if<Frame>(&*item)) frame_ = std::move(*frame);
      ended_ = std::holds_alternative<EndOfStream>(*item);
    }
    if (ended_) return std::optional<RgbImage>();
    return small();
  }

 private:
  Result<std::optional<RgbImage>> small() {
    const Rational& pixel = info().sample_aspect;
    const double aspect = static_cast<double>(frame_->picture->width()) * static_cast<double>(pixel.num) /
                          (static_cast<double>(frame_->picture->height()) * static_cast<double>(pixel.den));
    const auto side = [&](double length) {
      return std::clamp(static_cast<int>(std::lround(length)), kLeastSide, size_);
    };
    RgbImage out;
    auto done = converter_.to_rgb(*frame_->picture, side(size_ * std::min(1.0, aspect)),
                                  side(size_ / std::max(1.0, aspect)), out);
    if (!done) return std::move(done).error();
    return std::optional(std::move(out));
  }

  const std::string video_;
  const int size_;
  const std::stop_token stop_;
  std::unique_ptr<FrameSource> source_;
  std::optional<Frame> frame_;
  bool ended_ = false;
  PictureConverter converter_;
};

}  // namespace

Result<std::vector<std::optional<RgbImage>>> pictures_at(const std::string& video, const Outline& outline,
                                                         std::span<const std::int64_t> pts, int size,
                                                         std::stop_token stop) {
  std::vector<std::optional<RgbImage>> out;
  if (pts.empty()) return out;
  PictureReader reader(video, size, stop);
  if (auto opened = reader.open(std::nullopt); !opened) return std::move(opened).error();
  const StreamInfo& info = reader.info();
  const HeaderRecord& header = outline.header;
  if (info.time_base.num != header.time_base[0] || info.time_base.den != header.time_base[1] ||
      info.width != header.width || info.height != header.height) {
    return Error{ErrorKind::kInput, fmt::format("{} is not the video of this result", longtake::quoted(video))};
  }
  for (const std::int64_t one : pts) {
    auto picture = reader.at(one);
    if (!picture) return std::move(picture).error();
    out.push_back(std::move(*picture));
  }
  return out;
}

std::vector<std::size_t> spread(std::size_t count, std::size_t most) {
  std::vector<std::size_t> out;
  const std::size_t wanted = std::min(count, most);
  for (std::size_t i = 0; i < wanted; ++i) out.push_back(i * count / wanted);
  return out;
}

}  // namespace longtake
