#include "app/studio/column_image.h"

#include <algorithm>
#include <cmath>

namespace longtake {

ColumnImage::ColumnImage(const QRectF& area, qreal ratio)
    : area_(area),
      ratio_(ratio),
      image_(std::max(1, static_cast<int>(std::ceil(area.width() * ratio))),
             std::max(1, static_cast<int>(std::ceil(area.height() * ratio))), QImage::Format_ARGB32_Premultiplied) {
  image_.fill(Qt::transparent);
}

void ColumnImage::box(double x, double top, double bottom, const QColor& colour) {
  const auto pixel = [&](double at, int most) {
    return std::clamp(static_cast<int>(std::lround(at * ratio_)), 0, most);
  };
  const double left = std::floor(x) - std::floor(area_.left());
  const int from_x = pixel(left, image_.width()), to_x = pixel(left + 1, image_.width());
  const int from_y = pixel(top - area_.top(), image_.height()), to_y = pixel(bottom - area_.top(), image_.height());
  const QRgb over = qPremultiply(colour.rgba());
  const int stays = 255 - qAlpha(over);
  const auto blend = [stays](int more, int under) { return more + (under * stays + 127) / 255; };
  for (int y = from_y; y < to_y; ++y) {
    auto* row = reinterpret_cast<QRgb*>(image_.scanLine(y));
    for (int at = from_x; at < to_x; ++at) {
      const QRgb under = row[at];
      row[at] = qRgba(blend(qRed(over), qRed(under)), blend(qGreen(over), qGreen(under)),
                      blend(qBlue(over), qBlue(under)), blend(qAlpha(over), qAlpha(under)));
    }
  }
}

}  // namespace longtake
