#include "app/studio/icon.h"

#include <QPainter>
#include <QPainterPath>

#include "app/studio/colours.h"

namespace longtake {

void paint_sign(QPainter& painter) {
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(28, 30, 32));
  painter.drawRoundedRect(QRectF(6, 18, 116, 92), 12, 12);
  painter.setBrush(QColor(243, 243, 244));
  for (const double y : {26, 94}) {
    for (const double x : {16, 37, 59, 81, 102}) painter.drawRoundedRect(QRectF(x, y, 10, 8), 2, 2);
  }
  painter.setBrush(heat_colour(0));
  painter.drawRoundedRect(QRectF(16, 41, 96, 46), 4, 4);
  painter.fillRect(QRectF(70, 41, 5, 46), event_colour("cut"));
  painter.setBrush(Qt::NoBrush);
  const auto curve = [&](const QColor& colour, QPointF from, QPointF a, QPointF b, QPointF to) {
    QPainterPath path(from);
    path.cubicTo(a, b, to);
    painter.setPen(QPen(colour, 6, Qt::SolidLine, Qt::RoundCap));
    painter.drawPath(path);
  };
  curve(curve_colour(4), {20, 48}, {30, 74}, {44, 79}, {68, 80});
  curve(curve_colour(1), {78, 50}, {84, 70}, {92, 77}, {108, 79});
}

QIcon window_icon() {
  QIcon out;
  for (const int size : {16, 24, 32, 48, 64, 128, 256}) {
    QPixmap picture(size, size);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    painter.scale(size / 128.0, size / 128.0);
    paint_sign(painter);
    painter.end();
    out.addPixmap(picture);
  }
  return out;
}

}  // namespace longtake
