#include "app/studio/glyphs.h"

#include <QApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>
#include <QPalette>

namespace longtake {
namespace {

constexpr double kSide = 16;  // of the square that all are drawn in

QPainterPath triangle(double left, double right, double half) {
  QPainterPath out(QPointF(left, 8 - half));
  out.lineTo(right, 8);
  out.lineTo(left, 8 + half);
  out.closeSubpath();
  return out;
}

QPainterPath bar(double left, double width) {
  QPainterPath out;
  out.addRect(QRectF(left, 3, width, 10));
  return out;
}

QPainterPath filled(Glyph glyph) {
  QPainterPath out;
  switch (glyph) {
    case Glyph::kPlay: return triangle(3.5, 14, 6);
    case Glyph::kPause: return bar(3.5, 3.2) + bar(9.3, 3.2);
    case Glyph::kFrameBack:
    case Glyph::kFrameOn: return bar(3, 2) + triangle(6.5, 13.5, 4.5);
    case Glyph::kEventBefore:
    case Glyph::kNextEvent: return triangle(2, 7, 4.5) + triangle(6.5, 11.5, 4.5) + bar(12, 2);
    case Glyph::kStop: out.addRect(QRectF(3.5, 3.5, 9, 9)); return out;
    default: return out;
  }
}

QPainterPath outlined(Glyph glyph) {
  QPainterPath out;
  const auto line = [&](std::initializer_list<QPointF> points) {
    out.moveTo(*points.begin());
    for (const QPointF& point : points) out.lineTo(point);
  };
  if (glyph == Glyph::kFullScreen) {
    for (const double x : {2.5, 13.5}) {
      for (const double y : {3.5, 12.5}) {
        const double in_x = x < 8 ? 3 : -3, in_y = y < 8 ? 3 : -3;
        line({{x + in_x, y}, {x, y}, {x, y + in_y}});
      }
    }
  } else if (glyph == Glyph::kAnalyze) {  // an inner loss
    out.moveTo(2, 2.5);
    out.cubicTo(4, 10, 7, 11, 14, 11.5);
    line({{2, 14}, {14, 14}});
  } else if (glyph == Glyph::kExport) {
    line({{2.5, 9}, {2.5, 13.5}, {13.5, 13.5}, {13.5, 9}});
    line({{8, 10}, {8, 2.5}});
    line({{4.8, 5.7}, {8, 2.5}, {11.2, 5.7}});
  }
  return out;
}

class Engine : public QIconEngine {
 public:
  explicit Engine(Glyph glyph) : glyph_(glyph) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
    const QColor colour = QApplication::palette().color(group, QPalette::ButtonText);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->translate(rect.topLeft());
    painter->scale(rect.width() / kSide, rect.height() / kSide);
    if (glyph_ == Glyph::kFrameBack || glyph_ == Glyph::kEventBefore) {
      painter->translate(kSide, 0);
      painter->scale(-1, 1);
    }
    painter->fillPath(filled(glyph_), colour);
    painter->strokePath(outlined(glyph_), QPen(colour, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter->restore();
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap out(size);
    out.fill(Qt::transparent);
    QPainter painter(&out);
    paint(&painter, QRect({}, size), mode, state);
    return out;
  }

  QIconEngine* clone() const override { return new Engine(*this); }

 private:
  Glyph glyph_;
};

}  // namespace

QIcon glyph_icon(Glyph glyph) { return QIcon(new Engine(glyph)); }

}  // namespace longtake
