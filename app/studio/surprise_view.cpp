#include "app/studio/surprise_view.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <vector>

#include "app/studio/colours.h"
#include "app/studio/project.h"

namespace longtake {
namespace {

constexpr double kLeft = 64, kRight = 12;
constexpr double kNear = 6;   // pixels at which the mouse takes the line
constexpr double kLeast = 4;  // deviations that there is always room for: less is no surprise

}  // namespace

SurpriseView::SurpriseView(const Findings& findings, TimeAxis& axis, Project& project, QWidget* parent)
    : PlotArea(findings, axis, parent), project_(project) {
  setObjectName(QStringLiteral("surprise"));
  setAccessibleName(tr("Surprise, and the level from which on there is a boundary"));
  setMouseTracking(true);
  connect(&project, &Project::changed, this, qOverload<>(&QWidget::update));
}

QRectF SurpriseView::plot() const {
  const double line = fontMetrics().height();
  return QRectF(kLeft, line + 4, width() - kLeft - kRight, height() - 2 * line - 10);  // a title above, times below
}

double SurpriseView::most() const { return std::max(kLeast, 1.1 * findings_.levels().highest()); }

double SurpriseView::y_of(double surprise) const {
  const QRectF area = plot();
  return area.bottom() - std::clamp(surprise / most(), 0.0, 1.0) * area.height();
}

double SurpriseView::surprise_at(double y) const {
  const QRectF area = plot();
  return (area.bottom() - y) / std::max(1.0, area.height()) * most();
}

double SurpriseView::line_y() const {
  const auto& level = project_.edits().choices.thresholds.surprise;
  return level ? y_of(*level) : plot().top();
}

bool SurpriseView::is_on_line(double y) const { return project_.is_open() && std::abs(y - line_y()) <= kNear; }

void SurpriseView::set_level(std::optional<double> level) {
  Thresholds thresholds = project_.edits().choices.thresholds;
  thresholds.surprise = level;
  project_.set_thresholds(thresholds, gesture_);
}

void SurpriseView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton && is_on_line(event->position().y())) {
    gesture_ = project_.new_gesture();
  } else {
    PlotArea::mousePressEvent(event);
  }
}

void SurpriseView::mouseMoveEvent(QMouseEvent* event) {
  const double y = event->position().y();
  if (gesture_ != 0) {
    // Above the plot the line is let go of: the engine decides again.
    const double level = surprise_at(y);
    set_level(y < plot().top() ? std::nullopt : std::optional(std::max(level, findings_.levels().lowest())));
    return;
  }
  setCursor(is_on_line(y) ? Qt::SizeVerCursor : Qt::ArrowCursor);
  PlotArea::mouseMoveEvent(event);
}

void SurpriseView::mouseReleaseEvent(QMouseEvent*) { gesture_ = 0; }

void SurpriseView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (!is_on_line(event->position().y())) return;
  gesture_ = project_.new_gesture();
  set_level(std::nullopt);
  gesture_ = 0;
}

void SurpriseView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const QRectF area = plot();
  painter.fillRect(area, palette().color(QPalette::Base));
  paint_time_scale(painter, area.bottom() + 2);
  if (findings_.curves().frames() == 0) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
                     tr("How surprising every frame is, is drawn here while a video is analysed."));
    return;
  }
  const double line = fontMetrics().height();
  const double step = std::max(1.0, time_step(most(), std::max(1.0, area.height() / (2 * line))));
  for (double value = 0; value <= most(); value += step) {
    painter.setPen(faint());
    painter.drawLine(QPointF(area.left(), y_of(value)), QPointF(area.right(), y_of(value)));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(QRectF(0, y_of(value) - line / 2, kLeft - 6, line), Qt::AlignRight | Qt::AlignVCenter,
                     QString::number(value));
  }
  paint_gaps(painter);
  paint_curve(painter);
  paint_event_lines(painter);
  paint_marks(painter);
  paint_level(painter);
}

// From the least value of a column of pixels to its greatest; where a column is less than a frame, a line from frame to frame.
void SurpriseView::paint_curve(QPainter& painter) const {
  const QRectF area = plot();
  const Curves& curves = findings_.curves();
  std::vector<QLineF> spans;
  QPolygonF points;
  double first = curves.times().frame_at(t_of(area.left()));
  for (double x = area.left(); x < area.right(); ++x) {
    const double last = curves.times().frame_at(t_of(x + 1));
    CurvePyramid::Extent extent;
    if (last > first) curves.surprise().envelope(first, last - first, std::span(&extent, 1));
    if (!extent.empty()) {
      const double top = y_of(extent.high);
      spans.emplace_back(x + 0.5, top, x + 0.5, std::max(y_of(extent.low), top + 1));
      points.append({x + 0.5, top});
    }
    first = last;
  }
  painter.save();
  painter.setClipRect(area);
  painter.setPen(QPen(curve_colour(0), 1));
  if (static_cast<double>(spans.size()) > 0.9 * area.width()) {
    painter.drawLines(spans.data(), static_cast<int>(spans.size()));
  } else {
    painter.drawPolyline(points);
  }
  painter.restore();
}

void SurpriseView::paint_level(QPainter& painter) const {
  const QRectF area = plot();
  const auto& level = project_.edits().choices.thresholds.surprise;
  const double y = line_y();
  const QColor colour = curve_colour(1);
  painter.setPen(QPen(colour, level ? 2 : 1.5, level ? Qt::SolidLine : Qt::DashLine));
  painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
  QString words = tr("Longtake's own rule decides. Drag this line down for a level of your own.");
  if (level) {
    const std::size_t n = findings_.crossings().size();
    constexpr double kEnough_s = 600;  // for a rate to say something
    const double seconds = findings_.watched_s();
    words = tr("surprise ≥ %1: %L2 at this level").arg(*level, 0, 'f', 2).arg(n);
    if (seconds >= kEnough_s) words += tr(", %L1 an hour").arg(3600 * static_cast<double>(n) / seconds, 0, 'f', 0);
  }
  painter.setPen(palette().color(QPalette::PlaceholderText));
  const QRectF title(area.left(), 1, area.width(), fontMetrics().height());
  const double room = title.width() - fontMetrics().horizontalAdvance(words) - 12;
  painter.drawText(title, Qt::AlignRight | Qt::AlignVCenter, words);
  painter.drawText(title, Qt::AlignLeft | Qt::AlignVCenter,
                   fontMetrics().elidedText(tr("Surprise, in deviations from what is usual in this video"),
                                            Qt::ElideRight, static_cast<int>(room)));
}

}  // namespace longtake
