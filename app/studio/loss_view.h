// How much every layer still learns: its inner loss of every frame, before and after the update that the frame makes. It
// grows while a video is watched. Drawn from curves of fixed size, so it takes as long for an hour as for a day.
#pragma once

#include <vector>

#include "app/studio/plot_area.h"

namespace longtake {

class LossView : public PlotArea {
  Q_OBJECT

 public:
  enum class Drawing {
    kLosses,  // of every frame before its update as a band and a running mean, after it thin
    kHeat,    // before the update, a strip a layer: for models of many layers
    kDrift,   // how far the fast weights are from where they started
  };

  LossView(const Findings& findings, TimeAxis& axis, QWidget* parent = nullptr);

  Drawing drawing() const { return drawing_; }
  void set_drawing(Drawing drawing);
  bool logarithmic() const { return logarithmic_; }
  void set_logarithmic(bool on);
  bool shows_layer(int layer) const;
  void set_layer_shown(int layer, bool on);

  QSize sizeHint() const override { return {800, 220}; }
  QSize minimumSizeHint() const override { return {240, 120}; }
  // What is visible, as it stands on the screen.
  void paint(QPainter& painter) const;

 protected:
  QRectF plot() const override;
  void paintEvent(QPaintEvent* event) override;

 private:
  struct Column {
    double first = 0, step = 0;  // frames
  };
  struct Scale {
    double low = 0, high = 1;
  };
  std::vector<Column> columns() const;
  std::vector<CurvePyramid::Extent> extents(const CurvePyramid& curve, const std::vector<Column>& columns) const;
  double y_of(double value, const Scale& scale) const;
  void paint_curves(QPainter& painter, const std::vector<Column>& at) const;
  void paint_heat(QPainter& painter, const std::vector<Column>& at) const;
  void paint_values(QPainter& painter, const Scale& scale) const;
  void paint_cursor(QPainter& painter) const;

  Drawing drawing_ = Drawing::kLosses;
  bool logarithmic_ = true;
  std::vector<bool> hidden_;
};

}  // namespace longtake
