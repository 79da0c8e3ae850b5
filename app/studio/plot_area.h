// What views along time have in common: their scale, the playhead, marks, and the mouse that moves all of them.
#pragma once

#include <QWidget>

#include "app/studio/findings.h"
#include "app/studio/time_axis.h"

class QPainter;

namespace longtake {

class PlotArea : public QWidget {
  Q_OBJECT

 public:
  PlotArea(const Findings& findings, TimeAxis& axis, QWidget* parent);

  double x_of(double t) const;
  double t_of(double x) const;

 Q_SIGNALS:
  void seek_wanted(double t);

 protected:
  virtual QRectF plot() const = 0;                           // where time runs from left to right
  void paint_time_scale(QPainter& painter, double y) const;  // its lines over the plot, its numbers below y
  void paint_event_lines(QPainter& painter) const;           // no more than one a pixel, many paler
  void paint_gaps(QPainter& painter) const;                  // hatched: nothing was seen there
  void paint_marks(QPainter& painter) const;                 // in and out, mouse, playhead
  QColor faint() const;

  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;

  const Findings& findings_;
  TimeAxis& axis_;

 private:
  double dragged_x_ = 0;
};

// Round steps that leave at least `apart` between two, in the unit of `range` (seconds, or any number).
double time_step(double range, double most);

}  // namespace longtake
