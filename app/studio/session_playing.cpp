// The session's player: how fast, where, in which loop; and what is known of the frame that it shows.
#include <QImage>
#include <QSaveFile>
#include <algorithm>
#include <cmath>

#include "app/studio/playback_position.h"
#include "app/studio/session_controller.h"

namespace longtake {
namespace {

constexpr double kSlowest = 0.1, kFastest = 16;
constexpr std::size_t kUnreadLetters = 4;

void open_letters(std::vector<std::function<void()>> letters) {
  for (const auto& letter : letters) letter();
}

// The picture in its full size and its own shape.
Result<QImage> full_size(const Picture& picture, Rational aspect) {
  // Never fewer pixels than it has: the shorter side of its pixels is what stays.
  const double wide = static_cast<double>(aspect.num) / static_cast<double>(aspect.den);
  const int width = static_cast<int>(std::lround(picture.width() * std::max(1.0, wide)));
  const int height = static_cast<int>(std::lround(picture.height() / std::min(1.0, wide)));
  PictureConverter converter;
  RgbImage rgb;
  if (auto done = converter.to_rgb(picture, std::clamp(width, 4, 8192), std::clamp(height, 4, 8192), rgb); !done)
    return std::move(done).error();
  return QImage(rgb.pixels.data(), rgb.width, rgb.height, 3 * rgb.width, QImage::Format_RGB888).copy();
}

Result<void> write_png(const Picture& picture, Rational aspect, const QString& name) {
  auto image = full_size(picture, aspect);
  if (!image) return std::move(image).error();
  QSaveFile file(name);  // an older one stays until the new one is whole
  if (file.open(QIODevice::WriteOnly) && image->save(&file, "PNG") && file.commit()) return {};
  return Error{ErrorKind::kUnexpected,
               "cannot write \"" + name.toStdString() + "\": " + file.errorString().toStdString()};
}

}  // namespace

void SessionController::set_rate(double rate) {
  rate_ = std::clamp(rate, kSlowest, kFastest);
  if (playing()) play(speed_ < 0 ? -rate_ : rate_);
  Q_EMIT image_changed();
}

void SessionController::set_looping(bool on) {
  looping_ = on;
  tell_loop();
}

// From the first frame of the marked range to its last.
void SessionController::tell_loop() {
  if (!player_) return;
  if (!looping_ || info_.time_base.num == 0) return player_->loop(std::nullopt);
  const double ticks = static_cast<double>(info_.time_base.den) / static_cast<double>(info_.time_base.num);
  const auto pts = [&](double t) { return static_cast<std::int64_t>(std::llround(t * ticks)); };
  player_->loop(Player::Loop{pts(axis_.in().value_or(axis_.begin())), pts(axis_.out().value_or(axis_.end()))});
}

void SessionController::set_follows(bool on) {
  if (!on) look_elsewhere();
  follows_ = on;
  elsewhere_ = !on;
}

bool SessionController::following() const { return follows_ && !elsewhere_ && player_ && state_ == State::kAnalyzing; }

// From where the analysis is, the player goes on by itself.
void SessionController::look_elsewhere() {
  if (!following()) return;
  elsewhere_ = true;
  player_->seek(shown_pts_);
}

// For the analysis of a file, which has a player beside it.
LiveTap* SessionController::tap_frames() {
  constexpr std::chrono::milliseconds kApart{100};  // often enough to see it go, and a small part of the work
  if (from_tap_) from_tap_->close();
  tap_.reset();
  elsewhere_ = false;
  stood_at_ = shown_pts_;
  from_tap_ = std::make_unique<Mailbox<std::function<void()>>>(1, open_letters);
  const auto watched = [this, box = from_tap_.get()](Player::Shown frame) {
    box->post([this, frame = std::move(frame)]() mutable {
      if (following()) show(std::move(frame));
    });
  };
  tap_ = std::make_unique<LiveTap>(view_size_.width(), view_size_.height(), watched, kApart);
  return tap_.get();
}

void SessionController::seek_time(const TimePoint& time) {
  if (const auto* pts = std::get_if<std::int64_t>(&time.at)) return seek_pts(*pts);
  const auto& seconds = std::get<Rational>(time.at);
  seek(static_cast<double>(seconds.num) / static_cast<double>(seconds.den));
}

void SessionController::save_snapshot(const QString& file) {
  if (!picture_) return;
  errands_.run(
      [picture = picture_, aspect = info_.sample_aspect, file] { return write_png(*picture, aspect, file); },
      [this, file](const Result<void>& done) { done ? Q_EMIT snapshot_saved(file) : Q_EMIT failed(done.error()); });
}

void SessionController::go_where_left() {
  if (opened_ && left_at_) seek_pts(*left_at_);
}

void SessionController::keep_position() {
  if (!remembers_position_ || !player_ || !opened_ || image_.isNull() || files_.folder.empty()) return;
  const std::int64_t pts = left_at_.value_or(following() ? stood_at_ : shown_pts_);
  write_playback_position(files_.position(), pts == info_.first_pts ? std::nullopt : std::optional(pts));
  left_at_.reset();
}

// What the result says of the frame that is shown, as soon as it says something.
void SessionController::want_record() {
  if (record_ && record_->pts == shown_pts_) return;
  if (std::exchange(record_, std::nullopt)) Q_EMIT record_changed();
  if (files_.folder.empty() || findings_.curves().frames() == 0) return;
  if (!records_ || records_->path() != files_.result()) {
    forget_records();
    from_records_ = std::make_unique<Mailbox<std::function<void()>>>(kUnreadLetters, open_letters);
    const auto post = [box = from_records_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
    records_ = std::make_unique<FrameRecords>(files_.result(),
                                              [this, post](std::int64_t pts, std::optional<FrameRecord> record) {
                                                post([this, pts, record = std::move(record)]() mutable {
                                                  if (pts != shown_pts_ || !record) return;
                                                  record_ = std::move(record);
                                                  Q_EMIT record_changed();
                                                });
                                              });
  }
  records_->want(shown_pts_);
}

void SessionController::forget_records() {
  if (from_records_) from_records_->close();
  records_.reset();
  from_records_.reset();
  record_.reset();
}

}  // namespace longtake
