#include "core/media/glance.h"

#include <cmath>
#include <utility>

#include "core/media/location.h"
#include "core/media/picture_reader.h"

namespace longtake {

struct Glance::Inside {
  std::unique_ptr<PictureReader> reader;
  std::string quoted;

  std::int64_t pts_at(double seconds) const {
    const AVRational base = reader->stream().time_base;
    return std::llround(seconds * base.den / base.num);
  }
  // A null picture at the end.
  Result<Seen> next(std::stop_token stop) {
    auto decoded = reader->next(std::move(stop));
    if (!decoded) return std::move(decoded).error();
    if (!*decoded) return Seen{};
    AVFrame& frame = **decoded;
    Seen out;
    out.pts = frame.best_effort_timestamp;
    const int turns = reader->quarter_turns(frame);
    const AVRational aspect =
        frame.sample_aspect_ratio.num > 0 ? frame.sample_aspect_ratio : reader->stream().sample_aspect_ratio;
    if (aspect.num > 0 && aspect.den > 0)
      out.sample_aspect = turns % 2 == 1 ? Rational{aspect.den, aspect.num} : Rational{aspect.num, aspect.den};
    out.picture = Picture::adopt(&frame, turns);
    return out;
  }
  Result<Seen> key_frame(std::int64_t pts, std::stop_token stop) {
    if (!reader->seek(pts, stop)) return Error{ErrorKind::kInput, "cannot look around in " + quoted};
    return next(std::move(stop));
  }
};

Glance::Glance(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Glance::~Glance() = default;

Result<std::unique_ptr<Glance>> Glance::open(const std::string& path, std::stop_token stop) {
  auto location = locate(path);
  if (!location) return std::move(location).error();
  if (location->kind != Location::Kind::kFile)
    return Error{ErrorKind::kInput, "cannot look around in " + location->quoted + ": it is no file"};
  auto reader = PictureReader::open(*location, {}, 1, std::move(stop));
  if (!reader) return std::move(reader).error();
  return std::unique_ptr<Glance>(
      new Glance(std::make_unique<Inside>(Inside{std::move(*reader), std::move(location->quoted)})));
}

Rational Glance::time_base() const noexcept {
  const AVRational base = inside_->reader->stream().time_base;
  return {base.num, base.den};
}

Result<Glance::Seen> Glance::key_frame(double seconds, std::stop_token stop) {
  return inside_->key_frame(inside_->pts_at(seconds), std::move(stop));
}

Result<Glance::Seen> Glance::frame(double seconds, std::stop_token stop) {
  const std::int64_t pts = inside_->pts_at(seconds);
  auto seen = inside_->key_frame(pts, stop);
  while (seen && seen->picture && seen->pts < pts) {
    auto next = inside_->next(stop);
    if (!next || !next->picture) return seen;  // the last one there is
    seen = std::move(next);
  }
  return seen;
}

}  // namespace longtake
