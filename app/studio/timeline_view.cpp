#include "app/studio/timeline_view.h"

#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>
#include <vector>

#include "app/studio/colours.h"

namespace longtake {
namespace {

constexpr double kLeft = 64, kRight = 12;

}  // namespace

TimelineView::TimelineView(const Findings& findings, TimeAxis& axis, QWidget* parent)
    : PlotArea(findings, axis, parent) {
  setObjectName(QStringLiteral("timeline"));
  setAccessibleName(tr("Timeline"));
}

QRectF TimelineView::plot() const {
  return QRectF(kLeft, 4, width() - kLeft - kRight, height() - 4.0 - fontMetrics().height() - 4);
}

// Pictures need most of the room, and get none where they would be too small to be recognised.
TimelineView::Tracks TimelineView::tracks() const {
  const QRectF area = plot();
  const double line = fontMetrics().height() + 4;
  const double strip = thumbnails_ && area.height() > 4.5 * line ? area.height() - 3 * line : 0;
  const double track = (area.height() - strip) / 3;
  const QRectF events(area.left(), area.top() + strip, area.width(), track);
  return {QRectF(area.left(), area.top(), area.width(), std::max(0.0, strip - 2)), events, events.translated(0, track),
          events.translated(0, 2 * track)};
}

void TimelineView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const QRectF area = plot();
  painter.fillRect(area, palette().color(QPalette::Base));
  paint_time_scale(painter, area.bottom() + 2);
  if (axis_.end() <= axis_.begin()) return;
  const auto [pictures, events, shots, heat] = tracks();
  painter.setPen(palette().color(QPalette::PlaceholderText));
  const auto name = [&](const QRectF& where, const QString& text) {
    painter.drawText(QRectF(0, where.top(), kLeft - 8, where.height()), Qt::AlignRight | Qt::AlignVCenter, text);
  };
  name(events, tr("Events"));
  name(shots, tr("Shots"));
  name(heat, tr("Surprise"));
  painter.save();
  painter.setClipRect(area);
  paint_pictures(painter, pictures);
  paint_heat(painter, heat.adjusted(0, 2, 0, 0));
  paint_segments(painter, shots.adjusted(0, 2, 0, -2));
  paint_event_lines(painter);
  paint_gaps(painter);
  paint_events(painter, events);
  painter.restore();
  paint_marks(painter);
  paint_handles(painter);
}

void TimelineView::paint_heat(QPainter& painter, const QRectF& where) const {
  const Curves& curves = findings_.curves();
  if (curves.frames() == 0) return;
  // One colour a pixel: the highest surprise of the frames in it, from ordinary (0) to certain (12 deviations).
  constexpr double kMost = 12;
  QImage strip(std::max(1, static_cast<int>(where.width())), 1, QImage::Format_RGB32);
  for (int x = 0; x < strip.width(); ++x) {
    const double first = curves.times().frame_at(t_of(where.left() + x)),
                 last = curves.times().frame_at(t_of(where.left() + x + 1));
    CurvePyramid::Extent extent;
    if (last > first) curves.surprise().envelope(first, last - first, std::span(&extent, 1));
    const bool watched = first < static_cast<double>(curves.frames()) && last > 0;
    const QColor colour = extent.empty() ? (watched ? heat_colour(0) : palette().color(QPalette::Base))
                                         : heat_colour(std::sqrt(std::max(0.0F, extent.high) / kMost));
    strip.setPixelColor(x, 0, colour);
  }
  painter.drawImage(where, strip);
}

void TimelineView::paint_segments(QPainter& painter, const QRectF& where) const {
  const QFontMetricsF letters(painter.font());
  for (std::size_t i = 0; i < findings_.segments().size(); ++i) {
    const SegmentRecord& segment = findings_.segments()[i];
    if (segment.t[1] < axis_.from() || segment.t[0] > axis_.to()) continue;
    // To the first frame of the next one.
    const double end = i + 1 < findings_.segments().size() ? findings_.segments()[i + 1].t[0] : segment.t[1];
    const QRectF bar(x_of(segment.t[0]), where.top(), std::max(1.0, x_of(end) - x_of(segment.t[0]) - 1),
                     where.height());
    QColor fill = palette().color(QPalette::Mid);
    fill.setAlpha(i % 2 == 0 ? 150 : 90);
    painter.fillRect(bar, fill);
    const auto& names = segment.labels ? segment.labels : segment.scene;
    constexpr float kSure = 0.3F;  // below it a scene's name is a guess that says little
    if (!names || names->empty() || bar.width() < 40) continue;
    if (!segment.labels && names->front().score < kSure) continue;
    painter.setPen(palette().color(QPalette::Text));
    const QRectF inside = bar.intersected(plot()).adjusted(4, 0, -4, 0);
    painter.drawText(inside, Qt::AlignLeft | Qt::AlignVCenter,
                     letters.elidedText(QString::fromStdString(names->front().name), Qt::ElideRight, inside.width()));
  }
}

void TimelineView::paint_events(QPainter& painter, const QRectF& where) const {
  std::vector<const NamedEvent*> visible;
  for (const NamedEvent& event : findings_.events().events()) {
    if (event.t >= axis_.from() && event.t <= axis_.to()) visible.push_back(&event);
  }
  std::ranges::stable_sort(visible, {}, [](const NamedEvent* event) { return event->t; });
  const QFontMetricsF letters(painter.font());
  const double r =
      std::clamp(0.6 * where.width() / static_cast<double>(std::max<std::size_t>(visible.size(), 1)), 2.0, 5.0);
  const double y = where.center().y();
  for (std::size_t i = 0; i < visible.size(); ++i) {
    const NamedEvent& event = *visible[i];
    const double x = x_of(event.t);
    if (i > 0 && visible[i - 1]->kind == event.kind && std::floor(x_of(visible[i - 1]->t)) == std::floor(x)) continue;
    QPainterPath mark;  // a shape for each kind, as colours alone do not tell
    if (event.kind == "novelty") {
      mark.addPolygon(QPolygonF({{x, y - r}, {x + r, y + r}, {x - r, y + r}, {x, y - r}}));
    } else if (event.kind == "return") {
      mark.addPolygon(QPolygonF({{x, y + r}, {x + r, y - r}, {x - r, y - r}, {x, y + r}}));
    } else if (event.kind == "cut" || event.kind == "boundary") {
      mark.addRect(x - 2, y - r - 1, 4, 2 * r + 2);
    } else if (event.kind == "gradual") {
      mark.addPolygon(QPolygonF({{x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}, {x, y - r}}));
    } else {
      mark.addEllipse(QPointF(x, y), r - 1, r - 1);
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillPath(mark, event_colour(event.kind));
    painter.setRenderHint(QPainter::Antialiasing, false);
    const QString name = event_title(event);
    const double room = (i + 1 < visible.size() ? x_of(visible[i + 1]->t) - r : where.right()) - (x + r + 3);
    if (letters.horizontalAdvance(name) > room) continue;
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(QRectF(x + r + 3, where.top(), room, where.height()), Qt::AlignLeft | Qt::AlignVCenter, name);
  }
}

void TimelineView::mousePressEvent(QMouseEvent* event) {
  dragged_ = event->button() == Qt::LeftButton ? mark_at(event->position()) : std::nullopt;
  if (!dragged_) PlotArea::mousePressEvent(event);
}

void TimelineView::mouseMoveEvent(QMouseEvent* event) {
  if (dragged_) return drag_mark(t_of(event->position().x()));
  PlotArea::mouseMoveEvent(event);
  setCursor(mark_at(event->position()) ? Qt::SizeHorCursor : Qt::ArrowCursor);
  hovered_ = true;
  show_preview();
}

void TimelineView::mouseReleaseEvent(QMouseEvent* event) {
  dragged_.reset();
  PlotArea::mouseReleaseEvent(event);
}

void TimelineView::leaveEvent(QEvent* event) {
  PlotArea::leaveEvent(event);
  hovered_ = false;
  show_preview();
}

}  // namespace longtake
