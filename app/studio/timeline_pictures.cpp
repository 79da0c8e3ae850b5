// The pictures of the timeline: a strip of them, and the one at the mouse; and the handles of the marked range.
#include <QHideEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <vector>

#include "app/studio/hover_preview.h"
#include "app/studio/thumbnails.h"
#include "app/studio/timeline_view.h"

namespace longtake {
namespace {

constexpr double kWide = 16.0 / 9;  // of a picture's place in the strip
constexpr double kLeastHigh = 20;   // a lower strip shows nothing that could be recognised
constexpr double kHandle = 6;       // pixels from a mark where it can be taken hold of
const QColor kMark(86, 180, 233);

}  // namespace

void TimelineView::set_thumbnails(Thumbnails* thumbnails) {
  thumbnails_ = thumbnails;
  connect(thumbnails, &Thumbnails::changed, this, [this] {
    update();
    show_preview();
  });
  connect(&axis_, &TimeAxis::range_changed, this, &TimelineView::want_pictures);
}

// Places stand at multiples of a step that grows by halves and thirds, so that they stay where they are while the view is
// scrolled, and often when it is zoomed.
double TimelineView::seconds_a_picture(const QRectF& strip) const {
  const double range = axis_.to() - axis_.from();
  const double least = strip.height() * kWide * range / std::max(1.0, strip.width());
  double step = 0.02;
  while (step < least) step = 1.5 * step >= least ? 1.5 * step : 2 * step;
  return step;
}

std::vector<double> TimelineView::picture_moments(const QRectF& strip) const {
  std::vector<double> out;
  if (strip.height() < kLeastHigh || axis_.to() <= axis_.from()) return out;
  const double step = seconds_a_picture(strip);
  for (double i = std::floor(axis_.from() / step); i * step < axis_.to(); ++i)
    out.push_back(std::max(axis_.begin(), i * step));
  return out;
}

void TimelineView::want_pictures() {
  if (!thumbnails_) return;
  const QRectF strip = tracks().pictures;
  std::vector<double> moments = picture_moments(strip);
  const double centre = std::clamp(axis_.playhead(), axis_.from(), axis_.to());
  std::ranges::stable_sort(moments, {}, [&](double t) { return std::abs(t - centre); });
  thumbnails_->want(std::move(moments), seconds_a_picture(strip));
}

void TimelineView::resizeEvent(QResizeEvent* event) {
  PlotArea::resizeEvent(event);
  want_pictures();
}

void TimelineView::paint_pictures(QPainter& painter, const QRectF& strip) const {
  if (!thumbnails_) return;
  const std::vector<double> moments = picture_moments(strip);
  const double step = seconds_a_picture(strip);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  for (const double moment : moments) {
    const QImage image = thumbnails_->at(moment);
    const QRectF place(x_of(moment), strip.top(), x_of(moment + step) - x_of(moment) - 1, strip.height());
    if (image.isNull()) continue;
    // It fills its place; what is too much of it is cut off.
    const QSizeF size = place.size().scaled(QSizeF(image.size()), Qt::KeepAspectRatio);
    const QRectF part((image.width() - size.width()) / 2, (image.height() - size.height()) / 2, size.width(),
                      size.height());
    painter.drawImage(place, image, part);
  }
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
}

// Where the mouse is; nothing when it is elsewhere.
void TimelineView::show_preview() {
  if (!hovered_ || !axis_.hover()) {
    if (preview_) preview_->hide();
    return;
  }
  const double t = *axis_.hover();
  // In steps of the pictures that are there, so that not every pixel asks for one of its own.
  const double step = std::max(0.04, 4 * (axis_.to() - axis_.from()) / std::max(1.0, plot().width()));
  const double moment = std::max(axis_.begin(), std::floor(t / step) * step);
  if (thumbnails_) thumbnails_->want_first(moment, step);
  QString words = clock_text(t);
  if (const auto frame = sample_at(findings_, t)) {
    const auto surprise = extents(findings_.curves().surprise(), {*frame}).front();
    if (!surprise.empty()) words += tr("   surprise %1 σ").arg(static_cast<double>(surprise.high), 0, 'f', 1);
  }
  for (const EventRecord& one : findings_.events().events()) {
    if (std::abs(x_of(one.t) - x_of(t)) >= 5) continue;
    words += tr("\n%1, %2 % sure").arg(QString::fromStdString(one.kind)).arg(100 * one.confidence, 0, 'f', 0);
    break;
  }
  if (!preview_) preview_ = new HoverPreview(window());
  const QPoint top = mapTo(window(), QPointF(x_of(t), plot().top()).toPoint());
  preview_->show_at(top, thumbnails_ ? thumbnails_->at(moment) : QImage(), words);
}

void TimelineView::hideEvent(QHideEvent* event) {
  if (preview_) preview_->hide();
  PlotArea::hideEvent(event);
}

std::optional<TimelineView::Mark> TimelineView::mark_at(QPointF point) const {
  if (!plot().contains(point)) return std::nullopt;
  const auto near = [&](std::optional<double> t) { return t && std::abs(x_of(*t) - point.x()) <= kHandle; };
  if (near(axis_.in())) return Mark::kIn;
  if (near(axis_.out())) return Mark::kOut;
  return std::nullopt;
}

// Neither is dragged past the other.
void TimelineView::drag_mark(double t) {
  t = std::clamp(t, axis_.begin(), axis_.end());
  if (dragged_ == Mark::kIn) axis_.set_in(std::min(t, axis_.out().value_or(t)));
  if (dragged_ == Mark::kOut) axis_.set_out(std::max(t, axis_.in().value_or(t)));
}

void TimelineView::paint_handles(QPainter& painter) const {
  const QRectF area = plot();
  const auto handle = [&](std::optional<double> t, double way) {
    if (!t || *t < axis_.from() || *t > axis_.to()) return;
    const double x = x_of(*t);
    painter.fillRect(QRectF(x - 1, area.top(), 2, area.height()), kMark);
    painter.setPen(Qt::NoPen);
    painter.setBrush(kMark);
    painter.drawPolygon(QPolygonF({{x, area.top()}, {x + 9 * way, area.top()}, {x, area.top() + 9}}));
  };
  handle(axis_.in(), 1);
  handle(axis_.out(), -1);
}

}  // namespace longtake
