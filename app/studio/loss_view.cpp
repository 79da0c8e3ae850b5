#include "app/studio/loss_view.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/studio/colours.h"

namespace longtake {
namespace {

constexpr double kLeft = 64, kRight = 12;
constexpr double kLeast = 1e-6;  // on a logarithmic scale nothing is less

}  // namespace

LossView::LossView(SessionController& session, QWidget* parent) : PlotArea(session, parent) {
  setObjectName(QStringLiteral("loss"));
  setAccessibleName(tr("Inner loss of every layer"));
}

void LossView::set_logarithmic(bool on) {
  logarithmic_ = on;
  update();
}

bool LossView::shows_layer(int layer) const {
  const auto i = static_cast<std::size_t>(layer);
  return i >= hidden_.size() || !hidden_[i];
}

void LossView::set_layer_shown(int layer, bool on) {
  const auto i = static_cast<std::size_t>(layer);
  if (i >= hidden_.size()) hidden_.resize(i + 1, false);
  hidden_[i] = !on;
  update();
}

QRectF LossView::plot() const {
  const double line = fontMetrics().height();
  return QRectF(kLeft, line + 8, width() - kLeft - kRight, height() - 2 * line - 14);
}

std::vector<LossView::Column> LossView::columns() const {
  const QRectF area = plot();
  const FrameTimes& times = session_.curves().times();
  std::vector<Column> out(static_cast<std::size_t>(std::max(1.0, area.width())));
  double first = times.frame_at(t_of(area.left()));
  for (std::size_t x = 0; x < out.size(); ++x) {
    const double last = times.frame_at(t_of(area.left() + static_cast<double>(x) + 1));
    out[x] = {first, last - first};
    first = last;
  }
  return out;
}

std::vector<CurvePyramid::Extent> LossView::extents(const CurvePyramid& curve,
                                                    const std::vector<Column>& columns) const {
  std::vector<CurvePyramid::Extent> out(columns.size());
  for (std::size_t x = 0; x < columns.size(); ++x) {
    if (columns[x].step > 0) curve.envelope(columns[x].first, columns[x].step, std::span(&out[x], 1));
  }
  return out;
}

double LossView::y_of(double value, const Scale& scale) const {
  const QRectF area = plot();
  const auto at = [&](double v) { return logarithmic_ ? std::log(std::max(v, kLeast)) : v; };
  const double share = (at(value) - at(scale.low)) / std::max(1e-9, at(scale.high) - at(scale.low));
  return area.bottom() - share * area.height();
}

void LossView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paint(painter);
}

void LossView::paint(QPainter& painter) const {
  const QRectF area = plot();
  painter.fillRect(area, palette().color(QPalette::Base));
  paint_time_scale(painter, area.bottom() + 2);
  const Curves& curves = session_.curves();
  if (curves.frames() == 0) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
                     tr("What every layer learns of each frame is drawn here while a video is analysed."));
    return;
  }

  struct Drawn {
    std::vector<CurvePyramid::Extent> before, after, smooth;
  };
  const auto at = columns();
  std::vector<Drawn> layers(curves.layers().size());
  Scale scale{1e30, -1e30};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!shows_layer(static_cast<int>(i))) continue;
    const LayerCurves& layer = curves.layers()[i];
    layers[i] = {extents(layer.before, at), extents(layer.after, at), extents(layer.smooth, at)};
    for (const auto* curve : {&layers[i].before, &layers[i].after}) {
      for (const auto& one : *curve) {
        if (one.empty()) continue;
        scale.low = std::min(scale.low, static_cast<double>(one.low));
        scale.high = std::max(scale.high, static_cast<double>(one.high));
      }
    }
  }
  if (scale.low > scale.high) scale = {};
  if (!logarithmic_) scale.low = 0;
  scale.high = std::max(scale.high, std::max(scale.low, kLeast) * 1.5);
  paint_values(painter, scale);

  painter.save();
  painter.setClipRect(area);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QColor colour = curve_colour(static_cast<int>(i));
    const auto band = [&](const std::vector<CurvePyramid::Extent>& curve, int alpha) {
      QColor pale = colour;
      pale.setAlpha(alpha);
      painter.setPen(QPen(pale, 1));
      for (std::size_t x = 0; x < curve.size(); ++x) {
        if (curve[x].empty()) continue;
        const double px = area.left() + static_cast<double>(x) + 0.5;
        const double top = y_of(curve[x].high, scale), bottom = std::max(y_of(curve[x].low, scale), top + 1);
        painter.drawLine(QPointF(px, top), QPointF(px, bottom));
      }
    };
    const auto line = [&](const std::vector<CurvePyramid::Extent>& curve, const QPen& pen) {
      QPainterPath path;
      bool drawing = false;
      for (std::size_t x = 0; x < curve.size(); ++x) {
        if (curve[x].empty()) {
          // Nearer than one frame a column, columns between two frames are empty, and the line goes through.
          drawing = drawing && at[x].step < 1;
          continue;
        }
        const QPointF point(area.left() + static_cast<double>(x) + 0.5, y_of(curve[x].mean, scale));
        drawing ? path.lineTo(point) : path.moveTo(point);
        drawing = true;
      }
      painter.setRenderHint(QPainter::Antialiasing);
      painter.strokePath(path, pen);
      painter.setRenderHint(QPainter::Antialiasing, false);
    };
    band(layers[i].before, 70);
    line(layers[i].after, QPen(colour, 1, Qt::DotLine));
    line(layers[i].smooth, QPen(colour, 2));
  }
  painter.restore();
  paint_marks(painter);
  paint_cursor(painter);
}

void LossView::paint_values(QPainter& painter, const Scale& scale) const {
  const QRectF area = plot();
  const double line = fontMetrics().height();
  const auto mark = [&](double value) {
    const double y = y_of(value, scale);
    if (y < area.top() || y > area.bottom()) return;
    painter.setPen(faint());
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(QRectF(0, y - line / 2, kLeft - 6, line), Qt::AlignRight | Qt::AlignVCenter,
                     QString::number(value, 'g', 3));
  };
  if (logarithmic_) {
    for (double decade = std::pow(10, std::floor(std::log10(std::max(scale.low, kLeast)))); decade <= scale.high;
         decade *= 10) {
      const bool wide = std::log10(scale.high / std::max(scale.low, kLeast)) < 2.5;
      for (const double times : {1.0, 2.0, 5.0}) {
        if (times == 1.0 || wide) mark(times * decade);
      }
    }
  } else {
    const double step = std::pow(10, std::floor(std::log10(scale.high / 2)));
    for (double value = 0; value <= scale.high; value += step * (scale.high / step > 6 ? 2 : 1)) mark(value);
  }
}

// What every layer says of the frame at the playhead, which is also the key of the colours.
void LossView::paint_cursor(QPainter& painter) const {
  const Curves& curves = session_.curves();
  const double frame = std::round(curves.times().frame_at(session_.axis().playhead()));
  double x = kLeft;
  const auto say = [&](const QColor& colour, const QString& text) {
    painter.fillRect(QRectF(x, 6, 12, 12), colour);
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(QPointF(x + 17, 5 + fontMetrics().ascent()), text);
    x += 17 + fontMetrics().horizontalAdvance(text) + 20;
  };
  for (std::size_t i = 0; i < curves.layers().size(); ++i) {
    const auto value = [&](const CurvePyramid& curve) {
      CurvePyramid::Extent extent;
      curve.envelope(frame, 1, std::span(&extent, 1));
      return extent.empty() ? QStringLiteral("–") : QString::number(static_cast<double>(extent.mean), 'f', 3);
    };
    const QColor colour = shows_layer(static_cast<int>(i)) ? curve_colour(static_cast<int>(i)) : faint();
    say(colour,
        tr("Layer %1: %2 → %3").arg(i + 1).arg(value(curves.layers()[i].before), value(curves.layers()[i].after)));
  }
}

}  // namespace longtake
