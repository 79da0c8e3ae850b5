// The whole video at a glance: shots, events, how surprising every moment was, gaps, in and out, and the playhead.
#pragma once

#include "app/studio/plot_area.h"

namespace longtake {

class TimelineView : public PlotArea {
  Q_OBJECT

 public:
  TimelineView(const Findings& findings, TimeAxis& axis, QWidget* parent = nullptr);

  QSize sizeHint() const override { return {800, 112}; }
  QSize minimumSizeHint() const override { return {200, 96}; }

 protected:
  QRectF plot() const override;
  void paintEvent(QPaintEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;

 private:
  void paint_heat(QPainter& painter, const QRectF& where) const;
  void paint_segments(QPainter& painter, const QRectF& where) const;
  void paint_events(QPainter& painter, const QRectF& where) const;
};

}  // namespace longtake
