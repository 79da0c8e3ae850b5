#include "app/studio/loss_view.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/studio/colours.h"

namespace longtake {
namespace {

constexpr double kLeft = 64, kRight = 12;
constexpr double kLeast = 1e-6;  // on a logarithmic scale nothing is less

}  // namespace

LossView::LossView(const Findings& findings, TimeAxis& axis, QWidget* parent) : PlotArea(findings, axis, parent) {
  setObjectName(QStringLiteral("loss"));
  setAccessibleName(tr("Inner loss of every layer"));
}

void LossView::set_drawing(Drawing drawing) {
  drawing_ = drawing;
  update();
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
  const FrameTimes& times = findings_.curves().times();
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
  const Curves& curves = findings_.curves();
  if (curves.frames() == 0) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
                     tr("What every layer learns of each frame is drawn here while a video is analysed."));
    return;
  }

  const auto at = columns();
  drawing_ == Drawing::kHeat ? paint_heat(painter, at) : paint_curves(painter, at);
  paint_marks(painter);
  paint_cursor(painter);
}

// A strip a layer, from its least loss in view to its greatest, on the scale of the curves.
void LossView::paint_heat(QPainter& painter, const std::vector<Column>& at) const {
  const QRectF area = plot();
  const auto& layers = findings_.curves().layers();
  const double height = area.height() / static_cast<double>(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QRectF strip(area.left(), area.top() + static_cast<double>(i) * height, area.width(), height - 1);
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(QRectF(0, strip.top(), kLeft - 6, height), Qt::AlignRight | Qt::AlignVCenter,
                     tr("Layer %1").arg(i + 1));
    if (!shows_layer(static_cast<int>(i))) continue;
    const auto values = extents(layers[i].before, at);
    const auto level = [&](float value) {
      return logarithmic_ ? std::log(std::max(static_cast<double>(value), kLeast)) : static_cast<double>(value);
    };
    double low = 1e30, high = -1e30;
    for (const auto& one : values) {
      if (one.empty()) continue;
      low = std::min(low, level(one.mean));
      high = std::max(high, level(one.mean));
    }
    QImage colours(static_cast<int>(values.size()), 1, QImage::Format_RGB32);
    colours.fill(palette().color(QPalette::Base));
    const CurvePyramid::Extent* last = nullptr;
    for (std::size_t x = 0; x < values.size(); ++x) {
      if (!values[x].empty())
        last = &values[x];
      else if (at[x].step >= 1)
        last = nullptr;  // a gap, and not the way from one frame to the next
      if (last)
        colours.setPixelColor(static_cast<int>(x), 0,
                              heat_colour((level(last->mean) - low) / std::max(1e-9, high - low)));
    }
    painter.drawImage(strip, colours);
  }
}

void LossView::paint_curves(QPainter& painter, const std::vector<Column>& at) const {
  const QRectF area = plot();
  const Curves& curves = findings_.curves();
  struct Drawn {
    std::vector<CurvePyramid::Extent> band, thin, line;
  };
  std::vector<Drawn> layers(curves.layers().size());
  Scale scale{1e30, -1e30};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!shows_layer(static_cast<int>(i))) continue;
    const LayerCurves& layer = curves.layers()[i];
    if (drawing_ == Drawing::kDrift) {
      layers[i].line = extents(layer.drift, at);
    } else {
      layers[i] = {extents(layer.before, at), extents(layer.after, at), extents(layer.smooth, at)};
    }
    for (const auto* curve : {&layers[i].band, &layers[i].thin, &layers[i].line}) {
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
  const auto x_at = [&](std::size_t column) { return area.left() + static_cast<double>(column) + 0.5; };
  // From the least value of a column to its greatest.
  const auto spans = [&](const std::vector<CurvePyramid::Extent>& curve, const QColor& colour, double thick) {
    std::vector<QLineF> lines;
    for (std::size_t x = 0; x < curve.size(); ++x) {
      if (curve[x].empty()) continue;
      const double top = y_of(curve[x].high, scale) - thick / 2;
      lines.emplace_back(x_at(x), top, x_at(x), std::max(y_of(curve[x].low, scale) + thick / 2, top + 1));
    }
    painter.setPen(QPen(colour, 1));
    painter.drawLines(lines.data(), static_cast<int>(lines.size()));
  };
  const auto path = [&](const std::vector<CurvePyramid::Extent>& curve, const QColor& colour, double thick) {
    QPolygonF points;
    for (std::size_t x = 0; x < curve.size(); ++x) {
      if (!curve[x].empty()) points.append({x_at(x), y_of(curve[x].mean, scale)});
    }
    painter.setPen(QPen(colour, thick));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.drawPolyline(points);
    painter.setRenderHint(QPainter::Antialiasing, false);
  };
  // Where a frame is as wide as a column or wider, a line goes from one to the next. Otherwise a column is as high as what is
  // in it: to stroke a line through all of that takes a hundred times as long and looks the same.
  const bool near = at[at.size() / 2].step <= 1;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QColor colour = curve_colour(static_cast<int>(i));
    QColor pale = colour, paler = colour;
    pale.setAlpha(150);
    paler.setAlpha(70);
    spans(layers[i].band, paler, 0);
    near ? path(layers[i].thin, pale, 1) : spans(layers[i].thin, pale, 0);
    near ? path(layers[i].line, colour, 2) : spans(layers[i].line, colour, 2);
  }
  painter.restore();
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
  const Curves& curves = findings_.curves();
  const double frame = std::round(curves.times().frame_at(axis_.playhead()));
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
