#include "core/media/source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/media/ffmpeg_handles.h"
#include "core/media/location.h"
#include "core/media/picture_reader.h"
#include "core/media/timestamps.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace longtake {
namespace {

constexpr std::int64_t kFirstPts = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLastPts = std::numeric_limits<std::int64_t>::max();
constexpr int kTrustedAfter = 2;  // sound frames before the wanted one, see Note: Starting in the middle

Rational rational(AVRational r) { return {r.num, r.den}; }

std::optional<std::int64_t> stamp(std::int64_t pts) {
  return pts == AV_NOPTS_VALUE ? std::nullopt : std::optional(pts);
}

AVRational frame_rate(const AVStream& stream) {
  const auto usable = [](AVRational r) { return r.num > 0 && r.den > 0; };
  if (usable(stream.avg_frame_rate)) return stream.avg_frame_rate;
  return usable(stream.r_frame_rate) ? stream.r_frame_rate : AVRational{0, 1};
}

struct TimedPicture {
  AvFrame frame;  // null: the end
  StreamTime time;
};

// Reader, timeline, range and thinning, one behind the other.
class DecodedSource final : public FrameSource {
 public:
  DecodedSource(const SourceSpec& spec, const Location& location, std::unique_ptr<PictureReader> reader)
      : spec_(spec),
        reader_(std::move(reader)),
        timeline_(rational(reader_->stream().time_base), rational(frame_rate(reader_->stream()))),
        ordinal_(spec.resume_ordinal),
        errors_before_(spec.resume_decode_errors) {
    info_.source = location.shown;
    info_.time_base = rational(reader_->stream().time_base);
  }

  // Reads the first picture and goes to the first one wanted.
  Result<void> start(const Location& location, std::stop_token stop) {
    if (auto done = find_first(location, std::move(stop)); !done) return done;
    info_.first_pts = ahead_->frame ? ahead_->time.pts : kLastPts;
    return {};
  }

  const StreamInfo& info() const noexcept override { return info_; }
  Result<SourceItem> next(std::stop_token stop) override;
  std::int64_t decode_errors() const noexcept override {
    return errors_before_ + reader_->damage() - passed_over_;
  }

 private:
  Result<void> find_first(const Location& location, std::stop_token stop);
  Result<TimedPicture> read(std::stop_token stop);
  Result<void> go_to(std::int64_t pts, std::stop_token stop);
  Result<bool> seek_to(std::int64_t pts, std::stop_token stop);
  Result<void> pass_over_until(std::int64_t pts, std::stop_token stop);
  Result<SourceItem> advance(std::stop_token stop);
  void describe(const AVFrame& first);

  SourceSpec spec_;
  std::unique_ptr<PictureReader> reader_;
  StreamInfo info_;
  Timeline timeline_;
  std::int64_t end_pts_ = kLastPts;
  std::optional<Thinning> thinning_;

  std::optional<TimedPicture> ahead_;       // read already
  std::optional<Frame> announced_;          // comes after the Discontinuity that was just returned
  std::optional<Result<SourceItem>> over_;  // how it ended
  std::int64_t jump_ = 0;                   // ticks, since the last frame delivered
  std::int64_t ordinal_ = 0;
  std::int64_t errors_before_ = 0;  // from a checkpoint
  std::int64_t passed_over_ = 0;    // damage before the first frame wanted
};

Result<void> DecodedSource::find_first(const Location& location, std::stop_token stop) {
  auto first = read(stop);
  if (!first) return std::move(first).error();
  if (!first->frame) {
    return Error{ErrorKind::kInput, "cannot open " + location.quoted + ": " + reader_->reason_for_nothing()};
  }
  describe(*first->frame);
  ahead_ = std::move(*first);

  const Rational time_base = info_.time_base;
  if (spec_.to) end_pts_ = first_pts_at_or_after(*spec_.to, time_base);
  const std::int64_t from = spec_.from ? first_pts_at_or_after(*spec_.from, time_base) : kFirstPts;
  const bool thinned = spec_.fps.num > 0;
  if (!spec_.resume_after_pts || thinned) {
    if (auto done = go_to(from, stop); !done) return done;
    if (thinned && ahead_->frame) thinning_.emplace(spec_.fps, time_base, ahead_->time.pts);
    ahead_->time.jump = 0;  // nothing was delivered that it could be a jump from
  }
  if (!spec_.resume_after_pts) return {};
  const std::int64_t after = *spec_.resume_after_pts;
  if (thinning_) thinning_->continue_after(after);
  return go_to(std::max(from, after == kLastPts ? after : after + 1), stop);
}

void DecodedSource::describe(const AVFrame& first) {
  const AVStream& stream = reader_->stream();
  const AVFormatContext& format = reader_->format();
  const bool lies = reader_->quarter_turns(first) % 2 == 1;
  info_.width = lies ? first.height : first.width;
  info_.height = lies ? first.width : first.height;
  info_.frame_rate = rational(frame_rate(stream));
  const AVRational aspect =
      first.sample_aspect_ratio.num > 0 ? first.sample_aspect_ratio : stream.sample_aspect_ratio;
  if (aspect.num > 0 && aspect.den > 0) {
    info_.sample_aspect = lies ? Rational{aspect.den, aspect.num} : rational(aspect);
  }
  if (stream.duration > 0) {
    info_.duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  } else if (format.duration > 0) {
    info_.duration_s = static_cast<double>(format.duration) / AV_TIME_BASE;
  }
  info_.container = format.iformat->name;
  info_.codec = avcodec_get_name(stream.codecpar->codec_id);
  const char* pixels = av_get_pix_fmt_name(static_cast<AVPixelFormat>(first.format));
  info_.pixel_format = pixels ? pixels : "unknown";
}

Result<TimedPicture> DecodedSource::read(std::stop_token stop) {
  auto frame = reader_->next(std::move(stop));
  if (!frame) return std::move(frame).error();
  TimedPicture picture{std::move(*frame), {}};
  if (picture.frame) {
    const AVFrame& f = *picture.frame;
    picture.time = timeline_.next({stamp(f.pts), stamp(f.best_effort_timestamp), f.pkt_duration});
  }
  return picture;
}

// See Note: Starting in the middle. Afterwards the first frame at or after `pts`, or the end, is ahead.
Result<void> DecodedSource::go_to(std::int64_t pts, std::stop_token stop) {
  if (!ahead_->frame || ahead_->time.pts >= pts) return {};
  if (reader_->seeks_reliably() && spec_.resume_decode_errors == 0) {
    auto found = seek_to(pts, stop);
    if (!found) return std::move(found).error();
    if (*found) return {};
    if (auto done = reader_->rewind(stop); !done) return done;
    timeline_.restart();
    ahead_.reset();
  }
  return pass_over_until(pts, stop);
}

Result<bool> DecodedSource::seek_to(std::int64_t pts, std::stop_token stop) {
  const std::int64_t second = std::max<std::int64_t>(1, info_.time_base.den / info_.time_base.num);
  std::int64_t earliest = pts;
  // Containers seek by decode time, which lies before the pts: one step back may find the same key frame.
  for (const std::int64_t margin : {std::int64_t{0}, std::int64_t{1}, second, 8 * second}) {
    if (!reader_->seek(earliest - margin, stop)) return false;
    timeline_.restart();
    for (int before = 0;; ++before) {
      auto picture = read(stop);
      if (!picture) return std::move(picture).error();
      if (before == 0 && picture->frame) earliest = std::min(earliest, picture->time.pts);
      if (!picture->frame || picture->time.pts >= pts) {
        if (before < kTrustedAfter) break;
        ahead_ = std::move(*picture);
        passed_over_ = 0;
        return true;
      }
      if (picture->time.repaired || reader_->damage() > 0) return false;
    }
  }
  return false;
}

Result<void> DecodedSource::pass_over_until(std::int64_t pts, std::stop_token stop) {
  while (!ahead_ || (ahead_->frame && ahead_->time.pts < pts)) {
    if (ahead_) passed_over_ = reader_->damage();
    auto picture = read(stop);
    if (!picture) return std::move(picture).error();
    ahead_ = std::move(*picture);
  }
  return {};
}

Result<SourceItem> DecodedSource::next(std::stop_token stop) {
  if (over_) return *over_;
  auto item = advance(std::move(stop));
  if (!item || std::holds_alternative<EndOfStream>(*item)) over_ = item;
  return item;
}

Result<SourceItem> DecodedSource::advance(std::stop_token stop) {
  if (announced_) return SourceItem(*std::exchange(announced_, std::nullopt));
  TimedPicture picture;
  do {
    if (ahead_) {
      picture = *std::exchange(ahead_, std::nullopt);
    } else {
      auto more = read(stop);
      if (!more) return std::move(more).error();
      picture = std::move(*more);
    }
    if (!picture.frame) return SourceItem(EndOfStream{false});
    if (picture.time.pts >= end_pts_) return SourceItem(EndOfStream{true});
    if (picture.time.jump != 0) jump_ = picture.time.jump;
  } while (thinning_ && !thinning_->keep(picture.time.pts));

  const StreamTime time = picture.time;
  const int turns = reader_->quarter_turns(*picture.frame);
  Frame frame{ordinal_++, time.pts, time.repaired, Picture::adopt(picture.frame.get(), turns)};
  if (jump_ == 0) return SourceItem(std::move(frame));
  announced_ = std::move(frame);
  const double gap_s = static_cast<double>(std::exchange(jump_, 0)) *
                       static_cast<double>(info_.time_base.num) / static_cast<double>(info_.time_base.den);
  return SourceItem(Discontinuity{"gap", announced_->ordinal, announced_->pts, gap_s});
}

void check(const SourceSpec& spec) {
  const auto positive = [](double seconds) { return std::isfinite(seconds) && seconds > 0; };
  if (!positive(spec.open_timeout_s) || !positive(spec.read_timeout_s)) {
    throw std::invalid_argument("a source's time limits must be positive");
  }
  if (spec.fps.num < 0 || spec.fps.den <= 0)
    throw std::invalid_argument("a source's frame rate must not be negative");
  if (spec.resume_ordinal < 0 || spec.resume_decode_errors < 0) {
    throw std::invalid_argument("a source cannot go on from a negative count");
  }
}

}  // namespace

Result<std::unique_ptr<FrameSource>> open_source(const SourceSpec& spec, std::stop_token stop) {
  check(spec);
  auto location = locate(spec.uri);
  if (!location) return std::move(location).error();
  auto reader =
      PictureReader::open(*location, {spec.open_timeout_s, spec.read_timeout_s}, spec.decoder_threads, stop);
  if (!reader) return std::move(reader).error();
  auto source = std::make_unique<DecodedSource>(spec, *location, std::move(*reader));
  if (auto done = source->start(*location, std::move(stop)); !done) return std::move(done).error();
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace longtake
