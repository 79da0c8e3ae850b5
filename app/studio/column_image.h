// Boxes one pixel wide, thousands of them, some of which let through what is behind: blended by hand, as QPainter takes some
// 50 us for each of those.
#pragma once

#include <QColor>
#include <QImage>
#include <QPainter>
#include <QRectF>

namespace longtake {

class ColumnImage {
 public:
  // `area`: where it will be painted; `ratio`: pixels of the device for each of its units.
  ColumnImage(const QRectF& area, qreal ratio);

  // Of the pixel at x, from top to bottom, as far as that is inside.
  void box(double x, double top, double bottom, const QColor& colour);
  void paint(QPainter& painter) const { painter.drawImage(area_, image_); }

 private:
  QRectF area_;
  qreal ratio_;
  QImage image_;
};

}  // namespace longtake
