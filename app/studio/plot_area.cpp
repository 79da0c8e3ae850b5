#include "app/studio/plot_area.h"

#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "app/studio/colours.h"
#include "app/studio/column_image.h"

namespace longtake {

double time_step(double range, double most) {
  static constexpr std::array kSteps{0.01, 0.02, 0.05, 0.1,   0.2,   0.5,   1.0,   2.0,    5.0,    10.0,
                                     15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0};
  for (const double step : kSteps) {
    if (range / step <= most) return step;
  }
  return 14'400 * std::ceil(range / most / 14'400);
}

PlotArea::PlotArea(const Findings& findings, TimeAxis& axis, QWidget* parent)
    : QWidget(parent), findings_(findings), axis_(axis) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  const auto repaint = qOverload<>(&QWidget::update);
  connect(&axis, &TimeAxis::range_changed, this, repaint);
  connect(&axis, &TimeAxis::playhead_changed, this, repaint);
  connect(&axis, &TimeAxis::hover_changed, this, repaint);
  connect(&axis, &TimeAxis::marks_changed, this, repaint);
  connect(&findings, &Findings::changed, this, repaint);
}

double PlotArea::x_of(double t) const {
  const QRectF area = plot();
  const double range = axis_.to() - axis_.from();
  return area.left() + (range > 0 ? (t - axis_.from()) / range : 0) * area.width();
}

double PlotArea::t_of(double x) const {
  const QRectF area = plot();
  return axis_.from() + (x - area.left()) / std::max(1.0, area.width()) * (axis_.to() - axis_.from());
}

QColor PlotArea::faint() const {
  QColor out = palette().color(QPalette::Text);
  out.setAlphaF(0.15F);
  return out;
}

void PlotArea::paint_time_scale(QPainter& painter, double y) const {
  const QRectF area = plot();
  if (axis_.to() <= axis_.from()) return;
  const QFontMetricsF letters(painter.font());
  const double wide = letters.horizontalAdvance(QStringLiteral("0:00:00.00")) + 16;
  const double step = time_step(axis_.to() - axis_.from(), std::max(1.0, area.width() / wide));
  for (double t = std::ceil(axis_.from() / step) * step; t <= axis_.to(); t += step) {
    const double x = x_of(t);
    painter.setPen(faint());
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    QString text = clock_text(t);
    text.chop(step >= 1 ? 4 : step >= 0.1 ? 2 : 1);
    const double half = letters.horizontalAdvance(text) / 2;  // the last one stays inside
    painter.drawText(QRectF(std::min(x, width() - half) - wide / 2, y, wide, letters.height()), Qt::AlignCenter, text);
  }
}

void PlotArea::paint_event_lines(QPainter& painter) const {
  const QRectF area = plot();
  // A single row, drawn as high as the plot: to blend lines one by one takes a hundred times as long.
  const QRectF row(area.left(), 0, area.width(), 1);
  ColumnImage lines(row, 1);
  std::vector<std::optional<QColor>> drawn(static_cast<std::size_t>(std::max(0.0, area.width())) + 1);
  double count = 0;
  for (const EventRecord& event : findings_.events().events()) {
    if (event.t < axis_.from() || event.t > axis_.to()) continue;
    const double x = std::floor(x_of(event.t));
    const auto pixel = static_cast<std::size_t>(std::max(0.0, x - area.left()));
    if (pixel >= drawn.size() || drawn[pixel]) continue;
    drawn[pixel] = event_colour(event.kind);
    ++count;
  }
  // Many of them are paler, so that what they are drawn over is seen.
  constexpr double kRoom = 16;  // pixels to a line
  const int alpha = std::max(10, static_cast<int>(150 * std::min(1.0, area.width() / (kRoom * std::max(count, 1.0)))));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    if (!drawn[i]) continue;
    drawn[i]->setAlpha(alpha);
    lines.box(area.left() + static_cast<double>(i), 0, 1, *drawn[i]);
  }
  painter.save();
  painter.translate(0, area.top());
  painter.scale(1, area.height());
  lines.paint(painter);
  painter.restore();
}

void PlotArea::paint_gaps(QPainter& painter) const {
  const QRectF area = plot();
  QColor colour = palette().color(QPalette::PlaceholderText);
  for (const Findings::Gap& gap : findings_.gaps()) {
    if (gap.to < axis_.from() || gap.from > axis_.to()) continue;
    const QRectF hole(x_of(gap.from), area.top(), std::max(2.0, x_of(gap.to) - x_of(gap.from)), area.height());
    painter.fillRect(hole.intersected(area), QBrush(colour, Qt::BDiagPattern));
  }
}

void PlotArea::paint_marks(QPainter& painter) const {
  const QRectF area = plot();
  if (axis_.in() || axis_.out()) {
    const double from = x_of(axis_.in().value_or(axis_.begin())), to = x_of(axis_.out().value_or(axis_.end()));
    painter.fillRect(QRectF(from, area.top(), to - from, area.height()).intersected(area), QColor(86, 180, 233, 40));
  }
  const auto line = [&](double t, const QColor& colour, double width) {
    const double x = x_of(t);
    if (x >= area.left() - 1 && x <= area.right() + 1)
      painter.fillRect(QRectF(std::round(x - width / 2), area.top(), width, area.height()), colour);
  };
  if (axis_.hover()) line(*axis_.hover(), palette().color(QPalette::PlaceholderText), 1);
  if (axis_.end() > axis_.begin()) line(axis_.playhead(), playhead_colour(), 2);
}

void PlotArea::wheelEvent(QWheelEvent* event) {
  const double turns = event->angleDelta().y() / 120.0, sideways = event->angleDelta().x() / 120.0;
  const double shown = axis_.to() - axis_.from();
  if (event->modifiers() & Qt::ShiftModifier || turns == 0) {
    axis_.scroll(-(turns + sideways) * shown / 10);
  } else {
    axis_.zoom(std::pow(0.8, turns), t_of(event->position().x()));
  }
  event->accept();
}

void PlotArea::mousePressEvent(QMouseEvent* event) {
  dragged_x_ = event->position().x();
  if (event->button() == Qt::LeftButton) Q_EMIT seek_wanted(t_of(event->position().x()));
}

void PlotArea::mouseMoveEvent(QMouseEvent* event) {
  const double x = event->position().x();
  if (event->buttons() & Qt::LeftButton) Q_EMIT seek_wanted(t_of(x));
  if (event->buttons() & Qt::MiddleButton) axis_.scroll(t_of(dragged_x_) - t_of(x));
  dragged_x_ = x;
  const bool inside = plot().contains(event->position());
  axis_.set_hover(inside ? std::optional(t_of(x)) : std::nullopt);
}

void PlotArea::leaveEvent(QEvent* event) {
  axis_.set_hover(std::nullopt);
  QWidget::leaveEvent(event);
}

}  // namespace longtake
