#include "app/studio/loss_view.h"

#include <QEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/studio/colours.h"
#include "app/studio/column_image.h"

namespace longtake {
namespace {

constexpr double kLeft = 64, kRight = 12;
constexpr double kLeast = 1e-6;  // on a logarithmic scale nothing is less

}  // namespace

LossView::LossView(const Findings& findings, TimeAxis& axis, const LayerModel& layers, QWidget* parent)
    : PlotArea(findings, axis, parent), layers_(layers) {
  setObjectName(QStringLiteral("loss"));
  setAccessibleName(tr("Inner loss of every layer"));
  connect(&axis, &TimeAxis::range_changed, this, &LossView::redraw);
  connect(&findings, &Findings::changed, this, &LossView::redraw);
  connect(&layers, &LayerModel::drawing_changed, this, &LossView::redraw);
}

void LossView::redraw() {
  still_ = {};
  update();
}

void LossView::set_drawing(Drawing drawing) {
  drawing_ = drawing;
  redraw();
}

void LossView::set_logarithmic(bool on) {
  logarithmic_ = on;
  redraw();
}

void LossView::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) redraw();
  PlotArea::changeEvent(event);
}

QRectF LossView::plot() const {
  const double line = fontMetrics().height();
  return QRectF(kLeft, line + 4, width() - kLeft - kRight, height() - 2 * line - 8);
}

Samples LossView::samples() const {
  return samples_between(findings_, axis_.from(), axis_.to(), static_cast<int>(plot().width()));
}

double LossView::y_of(double value, const Scale& scale) const {
  const QRectF area = plot();
  const auto at = [&](double v) { return logarithmic_ ? std::log(std::max(v, kLeast)) : v; };
  const double share = (at(value) - at(scale.low)) / std::max(1e-9, at(scale.high) - at(scale.low));
  return area.bottom() - share * area.height();
}

void LossView::paintEvent(QPaintEvent*) {
  const qreal ratio = devicePixelRatioF();
  if (still_.size() != size() * ratio) {
    still_ = QPixmap(size() * ratio);
    still_.setDevicePixelRatio(ratio);
    still_.fill(palette().color(QPalette::Window));
    QPainter painter(&still_);
    painter.setFont(font());
    paint_still(painter);
  }
  QPainter painter(this);
  painter.drawPixmap(0, 0, still_);
  paint_marks(painter);
}

void LossView::paint(QPainter& painter) const {
  paint_still(painter);
  paint_marks(painter);
}

void LossView::paint_still(QPainter& painter) const {
  const QRectF area = plot();
  painter.fillRect(area, palette().color(QPalette::Base));
  paint_time_scale(painter, area.bottom() + 2);
  if (findings_.curves().frames() == 0) {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
                     tr("What every layer learns of each frame is drawn here while a video is analysed."));
    return;
  }
  paint_title(painter);
  const Samples shown = samples();
  drawing_ == Drawing::kHeat ? paint_heat(painter, shown) : paint_curves(painter, shown);
  paint_gaps(painter);
  paint_event_lines(painter);
}

// What is drawn, and its unit.
void LossView::paint_title(QPainter& painter) const {
  QString words;
  switch (drawing_) {
    case Drawing::kLosses:
      words = tr("Inner loss (squared error per token element): low where a layer knows what it sees, a jump where "
                 "something is new. Bold: before the update, smoothed over %1 s; pale: each frame; paler: after it")
                  .arg(layers_.mean_seconds());
      break;
    case Drawing::kHeat:
      words =
          tr("Inner loss before the update, squared error per token element, from the least of each layer (dark) "
             "to the greatest (light)");
      break;
    case Drawing::kDrift: words = tr("Drift of the fast weights, as a share of where they started"); break;
  }
  painter.setPen(palette().color(QPalette::PlaceholderText));
  const QRectF where(kLeft, 1, width() - kLeft - kRight, fontMetrics().height());
  painter.drawText(where, Qt::AlignLeft | Qt::AlignVCenter,
                   fontMetrics().elidedText(words, Qt::ElideRight, static_cast<int>(where.width())));
}

// A strip a layer, from its least loss in view to its greatest, on the scale of the curves.
void LossView::paint_heat(QPainter& painter, const Samples& samples) const {
  const QRectF area = plot();
  const auto& layers = findings_.curves().layers();
  const double height = area.height() / static_cast<double>(layers.size());
  const auto level = [&](float value) {
    return logarithmic_ ? std::log(std::max(static_cast<double>(value), kLeast)) : static_cast<double>(value);
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QRectF strip(area.left(), area.top() + static_cast<double>(i) * height, area.width(), height - 1);
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(QRectF(0, strip.top(), kLeft - 6, height), Qt::AlignRight | Qt::AlignVCenter,
                     tr("Layer %1").arg(i + 1));
    if (!layers_.shows(static_cast<int>(i))) continue;
    const auto values = extents(layers[i].before, samples.all);
    double low = 1e30, high = -1e30;
    for (const auto& one : values) {
      if (one.empty()) continue;
      low = std::min(low, level(one.mean));
      high = std::max(high, level(one.mean));
    }
    for (std::size_t s = 0; s < values.size(); ++s) {
      if (values[s].empty()) continue;
      // A frame's colour lasts until the next one.
      double left = x_of(samples.all[s].t), right = left + 1;
      if (samples.grain == Grain::kFrames) {
        if (s + 1 < values.size() && samples.all[s + 1].joined) right = x_of(samples.all[s + 1].t);
      } else {
        left = std::floor(left);
        right = left + 1;
      }
      const QRectF cell = QRectF(left, strip.top(), std::max(1.0, right - left), strip.height()).intersected(strip);
      painter.fillRect(cell, heat_colour((level(values[s].mean) - low) / std::max(1e-9, high - low)));
    }
  }
}

LossView::LayerValues LossView::values_of(const LayerCurves& layer, const std::vector<Sample>& samples) const {
  if (drawing_ == Drawing::kDrift) return {{}, {}, extents(layer.drift, samples), {}};
  return {extents(layer.before, samples),
          extents(layer.after, samples),
          {},
          running_mean(findings_, layer.before, samples, layers_.mean_seconds())};
}

LossView::Scale LossView::scale_of(const std::vector<LayerValues>& layers) const {
  Scale out{1e30, -1e30};
  for (const LayerValues& layer : layers) {
    for (const auto* curve : {&layer.before, &layer.after, &layer.drift}) {
      for (const auto& one : *curve) {
        if (one.empty()) continue;
        out.low = std::min(out.low, static_cast<double>(one.low));
        out.high = std::max(out.high, static_cast<double>(one.high));
      }
    }
  }
  if (out.low > out.high) out = {};
  if (logarithmic_) {
    out.low /= 1.1;  // nothing lies on the edge
  } else {
    out.low = 0;
  }
  out.high = std::max(out.high, std::max(out.low, kLeast) * 1.5);
  return out;
}

void LossView::paint_curves(QPainter& painter, const Samples& samples) const {
  const auto& curves = findings_.curves().layers();
  std::vector<LayerValues> layers(curves.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers_.shows(static_cast<int>(i))) layers[i] = values_of(curves[i], samples.all);
  }
  const Scale scale = scale_of(layers);
  paint_scale(painter, scale);

  painter.save();
  painter.setClipRect(plot());
  ColumnImage columns(plot(), painter.device()->devicePixelRatio());
  // From the least value of every sample to its greatest.
  const auto band = [&](const std::vector<CurvePyramid::Extent>& values, const QColor& colour) {
    for (std::size_t s = 0; s < values.size(); ++s) {
      if (values[s].empty()) continue;
      const double top = std::floor(y_of(values[s].high, scale)), bottom = std::ceil(y_of(values[s].low, scale));
      columns.box(x_of(samples.all[s].t), top, std::max(top + 1, bottom), colour);
    }
  };
  // From one frame to the next, but not over what is missing between them.
  const auto line = [&](auto value_at, const QColor& colour, double thick) {
    painter.setPen(QPen(colour, thick));
    painter.setRenderHint(QPainter::Antialiasing);
    QPolygonF points;
    const auto end = [&] {
      if (points.size() == 1) points.append(points.front() + QPointF(1, 0));
      if (!points.isEmpty()) painter.drawPolyline(points);
      points.clear();
    };
    for (std::size_t s = 0; s < samples.all.size(); ++s) {
      const double value = value_at(s);
      if (!samples.all[s].joined || !std::isfinite(value)) end();
      if (std::isfinite(value)) points.append({x_of(samples.all[s].t), y_of(value, scale)});
    }
    end();
    painter.setRenderHint(QPainter::Antialiasing, false);
  };
  // The same where a sample is a pixel wide: to stroke a line through all of them takes a hundred times as long and looks the same.
  const auto steps = [&](auto value_at, const QColor& colour) {
    double before = NAN;
    for (std::size_t s = 0; s < samples.all.size(); ++s) {
      const double value = value_at(s);
      if (!std::isfinite(value)) {
        before = NAN;
        continue;
      }
      const double y = y_of(value, scale), from = samples.all[s].joined && std::isfinite(before) ? before : y;
      columns.box(x_of(samples.all[s].t), std::floor(std::min(y, from)), std::floor(std::max(y, from)) + 2, colour);
      before = y;
    }
  };
  const auto mean_of = [](const std::vector<CurvePyramid::Extent>& values) {
    return [&values](std::size_t s) { return values[s].empty() ? NAN : static_cast<double>(values[s].mean); };
  };
  const bool near = samples.grain == Grain::kFrames;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerValues& values = layers[i];
    const QColor colour = curve_colour(static_cast<int>(i));
    QColor pale = colour, paler = colour;
    pale.setAlpha(150);
    paler.setAlpha(70);
    if (!values.drift.empty()) near ? line(mean_of(values.drift), colour, 2) : steps(mean_of(values.drift), colour);
    if (values.before.empty()) continue;
    near ? line(mean_of(values.before), pale, 1) : band(values.before, paler);
    near ? line(mean_of(values.after), paler, 1) : band(values.after, paler);
    const auto smooth = [&values](std::size_t s) { return static_cast<double>(values.mean[s]); };
    near ? line(smooth, colour, 2) : steps(smooth, colour);
  }
  if (!near) columns.paint(painter);
  painter.restore();
}

void LossView::paint_scale(QPainter& painter, const Scale& scale) const {
  const QRectF area = plot();
  const double line = fontMetrics().height();
  double taken = area.bottom() + line;  // no number stands on another
  const auto mark = [&](double value) {
    const double y = y_of(value, scale);
    if (y < area.top() || y > area.bottom()) return;
    painter.setPen(faint());
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    if (taken - y < line) return;
    taken = y;
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

}  // namespace longtake
