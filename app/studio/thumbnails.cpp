#include "app/studio/thumbnails.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/studio/thumbnail_maker.h"

namespace longtake {
namespace {

constexpr std::size_t kUnread = 8;

std::int64_t key_of(double moment) { return std::llround(moment * 1000); }

}  // namespace

Thumbnails::Thumbnails(QObject* parent) : QObject(parent) {}
Thumbnails::~Thumbnails() {
  blockSignals(true);
  close();
}

void Thumbnails::open(const QString& path) {
  close();
  from_maker_ =
      std::make_unique<Mailbox<std::function<void()>>>(kUnread, [](std::vector<std::function<void()>> letters) {
        for (const auto& letter : letters) letter();
      });
  const auto made = [this, box = from_maker_.get()](double moment, QImage image, double off) {
    box->post([this, moment, image = std::move(image), off]() mutable { keep(moment, std::move(image), off); });
  };
  maker_ = std::make_unique<ThumbnailMaker>(path.toStdString(), kWidth, kHeight, made);
  tell();
}

void Thumbnails::close() {
  if (from_maker_) from_maker_->close();
  maker_.reset();
  from_maker_.reset();
  kept_.clear();
  first_ = -1;
  Q_EMIT changed();
}

void Thumbnails::want(std::vector<double> moments, double apart) {
  if (moments == wanted_ && apart == apart_) return;
  wanted_ = std::move(moments);
  wanted_.resize(std::min(wanted_.size(), kMost / 2));  // so that what is looked at never pushes itself out
  apart_ = apart;
  tell();
}

void Thumbnails::want_first(double moment, double apart) {
  if (moment == first_ && apart == first_apart_) return;
  first_ = moment;
  first_apart_ = apart;
  tell();
}

void Thumbnails::tell() {
  if (!maker_) return;
  std::vector<ThumbnailMaker::Wish> wishes;
  const auto wish = [&](double moment, double apart) {
    const auto kept = kept_.find(key_of(moment));
    if (kept != kept_.end()) kept->second.used = ++uses_;
    if (kept == kept_.end() || kept->second.off > apart) wishes.push_back({moment, apart, kept != kept_.end()});
  };
  if (first_ >= 0) wish(first_, first_apart_);
  for (const double moment : wanted_) wish(moment, apart_);
  maker_->want(std::move(wishes));
}

void Thumbnails::keep(double moment, QImage image, double off) {
  if (image.isNull()) return;
  kept_[key_of(moment)] = {std::move(image), off, ++uses_};
  while (kept_.size() > kMost)
    kept_.erase(std::ranges::min_element(kept_, {}, [](const auto& one) { return one.second.used; }));
  Q_EMIT changed();
}

QImage Thumbnails::at(double moment) const {
  auto kept = kept_.upper_bound(key_of(moment));
  return kept == kept_.begin() ? QImage() : std::prev(kept)->second.image;
}

}  // namespace longtake
