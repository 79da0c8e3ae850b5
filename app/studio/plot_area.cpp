#include "app/studio/plot_area.h"

#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <array>
#include <cmath>

#include "app/studio/colours.h"

namespace longtake {

double time_step(double range, double most) {
  static constexpr std::array kSteps{0.01, 0.02, 0.05, 0.1,   0.2,   0.5,   1.0,   2.0,    5.0,    10.0,
                                     15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0};
  for (const double step : kSteps) {
    if (range / step <= most) return step;
  }
  return 14'400 * std::ceil(range / most / 14'400);
}

PlotArea::PlotArea(SessionController& session, QWidget* parent) : QWidget(parent), session_(session) {
  setFocusPolicy(Qt::StrongFocus);
  const auto repaint = qOverload<>(&QWidget::update);
  connect(&session.axis(), &TimeAxis::range_changed, this, repaint);
  connect(&session.axis(), &TimeAxis::playhead_changed, this, repaint);
  connect(&session.axis(), &TimeAxis::marks_changed, this, repaint);
  connect(&session, &SessionController::advanced, this, repaint);
  connect(&session, &SessionController::state_changed, this, repaint);
}

double PlotArea::x_of(double t) const {
  const TimeAxis& axis = session_.axis();
  const QRectF area = plot();
  const double range = axis.to() - axis.from();
  return area.left() + (range > 0 ? (t - axis.from()) / range : 0) * area.width();
}

double PlotArea::t_of(double x) const {
  const TimeAxis& axis = session_.axis();
  const QRectF area = plot();
  return axis.from() + (x - area.left()) / std::max(1.0, area.width()) * (axis.to() - axis.from());
}

QColor PlotArea::faint() const {
  QColor out = palette().color(QPalette::Text);
  out.setAlphaF(0.15F);
  return out;
}

void PlotArea::paint_time_scale(QPainter& painter, double y) const {
  const TimeAxis& axis = session_.axis();
  const QRectF area = plot();
  if (axis.to() <= axis.from()) return;
  const QFontMetricsF letters(painter.font());
  const double wide = letters.horizontalAdvance(QStringLiteral("0:00:00.00")) + 16;
  const double step = time_step(axis.to() - axis.from(), std::max(1.0, area.width() / wide));
  for (double t = std::ceil(axis.from() / step) * step; t <= axis.to(); t += step) {
    const double x = x_of(t);
    painter.setPen(faint());
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    QString text = clock_text(t);
    text.chop(step >= 1 ? 4 : step >= 0.1 ? 2 : 1);
    painter.drawText(QRectF(x - wide / 2, y, wide, letters.height()), Qt::AlignCenter, text);
  }
}

void PlotArea::paint_marks(QPainter& painter) const {
  const TimeAxis& axis = session_.axis();
  const QRectF area = plot();
  if (axis.in() || axis.out()) {
    const double from = x_of(axis.in().value_or(axis.begin())), to = x_of(axis.out().value_or(axis.end()));
    painter.fillRect(QRectF(from, area.top(), to - from, area.height()).intersected(area), QColor(86, 180, 233, 40));
  }
  for (const EventRecord& event : session_.events().events()) {
    if (event.t < axis.from() || event.t > axis.to()) continue;
    QColor colour = event_colour(event.kind);
    colour.setAlpha(150);
    painter.setPen(QPen(colour, 1));
    painter.drawLine(QPointF(x_of(event.t), area.top()), QPointF(x_of(event.t), area.bottom()));
  }
  const double x = x_of(axis.playhead());
  if (x >= area.left() - 1 && x <= area.right() + 1) {
    painter.setPen(QPen(playhead_colour(), 1.5));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
  }
}

void PlotArea::wheelEvent(QWheelEvent* event) {
  TimeAxis& axis = session_.axis();
  const double turns = event->angleDelta().y() / 120.0, sideways = event->angleDelta().x() / 120.0;
  const double shown = axis.to() - axis.from();
  if (event->modifiers() & Qt::ShiftModifier || turns == 0) {
    axis.scroll(-(turns + sideways) * shown / 10);
  } else {
    axis.zoom(std::pow(0.8, turns), t_of(event->position().x()));
  }
  event->accept();
}

void PlotArea::mousePressEvent(QMouseEvent* event) {
  dragged_x_ = event->position().x();
  if (event->button() == Qt::LeftButton) session_.seek(t_of(event->position().x()));
}

void PlotArea::mouseMoveEvent(QMouseEvent* event) {
  const double x = event->position().x();
  if (event->buttons() & Qt::LeftButton) session_.seek(t_of(x));
  if (event->buttons() & Qt::MiddleButton) session_.axis().scroll(t_of(dragged_x_) - t_of(x));
  dragged_x_ = x;
}

}  // namespace longtake
