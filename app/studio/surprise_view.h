// How surprising every moment was, and the line that decides from where on that is a boundary: it can be dragged.
#pragma once

#include <optional>

#include "app/studio/plot_area.h"

namespace longtake {

class Project;

class SurpriseView : public PlotArea {
  Q_OBJECT

 public:
  SurpriseView(const Findings& findings, TimeAxis& axis, Project& project, QWidget* parent = nullptr);

  double y_of(double surprise) const;
  double surprise_at(double y) const;

  QSize sizeHint() const override { return {800, 220}; }
  QSize minimumSizeHint() const override { return {240, 100}; }

 protected:
  QRectF plot() const override;
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;

 private:
  double most() const;    // at the top
  double line_y() const;  // of the threshold; the top edge while there is none
  bool is_on_line(double y) const;
  void set_level(std::optional<double> level);
  void paint_curve(QPainter& painter) const;
  void paint_level(QPainter& painter) const;

  Project& project_;
  int gesture_ = 0;  // of the drag; 0: none
};

}  // namespace longtake
