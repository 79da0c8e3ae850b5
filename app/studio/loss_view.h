// How much every layer still learns: its inner loss of every frame, before and after the update that the frame makes. It
// grows while a video is watched. Drawn from curves of fixed size, so it takes as long for an hour as for a day.
#pragma once

#include <QPixmap>
#include <vector>

#include "app/studio/layer_model.h"
#include "app/studio/plot_area.h"
#include "app/studio/samples.h"

namespace longtake {

class LossView : public PlotArea {
  Q_OBJECT

 public:
  enum class Drawing {
    kLosses,  // of every frame before its update as a band and a running mean, after it thin
    kHeat,    // before the update, a strip a layer: for models of many layers
    kDrift,   // how far the fast weights are from where they started
  };

  // `layers`: which of them are drawn.
  LossView(const Findings& findings, TimeAxis& axis, const LayerModel& layers, QWidget* parent = nullptr);

  Drawing drawing() const { return drawing_; }
  void set_drawing(Drawing drawing);
  bool logarithmic() const { return logarithmic_; }
  void set_logarithmic(bool on);

  QSize sizeHint() const override { return {800, 150}; }
  QSize minimumSizeHint() const override { return {240, 96}; }
  // What is visible, as it stands on the screen.
  void paint(QPainter& painter) const;
  // The frames, or columns of frames, that it is drawn from.
  Samples samples() const;

 protected:
  QRectF plot() const override;
  void paintEvent(QPaintEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Scale {
    double low = 0, high = 1;
  };
  // What a layer's curves say of every sample.
  struct LayerValues {
    std::vector<CurvePyramid::Extent> before, after, drift;
    std::vector<float> mean;
  };
  void redraw();
  double y_of(double value, const Scale& scale) const;
  void paint_still(QPainter& painter) const;  // all that does not move with the playhead and the mouse
  void paint_curves(QPainter& painter, const Samples& samples) const;
  void paint_heat(QPainter& painter, const Samples& samples) const;
  void paint_scale(QPainter& painter, const Scale& scale) const;
  void paint_title(QPainter& painter) const;
  LayerValues values_of(const LayerCurves& layer, const std::vector<Sample>& samples) const;
  Scale scale_of(const std::vector<LayerValues>& layers) const;

  const LayerModel& layers_;
  Drawing drawing_ = Drawing::kLosses;
  bool logarithmic_ = true;
  QPixmap still_;  // null: to be drawn anew
};

}  // namespace longtake
