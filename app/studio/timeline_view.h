// The whole video at a glance: shots, events, how surprising every moment was, gaps, in and out, and the playhead.
#pragma once

#include <optional>
#include <vector>

#include "app/studio/plot_area.h"
#include "app/studio/samples.h"

namespace longtake {

class HoverPreview;
class Thumbnails;

class TimelineView : public PlotArea {
  Q_OBJECT

 public:
  TimelineView(const Findings& findings, TimeAxis& axis, QWidget* parent = nullptr);

  // Pictures for a strip of them, and for the moment at the mouse. They have to outlive this.
  void set_thumbnails(Thumbnails* thumbnails);

  QSize sizeHint() const override { return {800, 128}; }
  QSize minimumSizeHint() const override { return {200, 96}; }

 protected:
  QRectF plot() const override;
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  // One below the other.
  struct Tracks {
    QRectF pictures, events, shots, heat;
  };
  Tracks tracks() const;
  void paint_pictures(QPainter& painter, const QRectF& strip) const;
  void paint_heat(QPainter& painter, const QRectF& where) const;
  void paint_segments(QPainter& painter, const QRectF& where) const;
  void paint_events(QPainter& painter, const QRectF& where) const;

  double seconds_a_picture(const QRectF& strip) const;
  std::vector<double> picture_moments(const QRectF& strip) const;
  void want_pictures();
  void show_preview();

  // The ends of the marked range, which can be dragged.
  enum class Mark { kIn, kOut };
  std::optional<Mark> mark_at(QPointF point) const;
  void drag_mark(double t);
  void paint_handles(QPainter& painter) const;

  Thumbnails* thumbnails_ = nullptr;
  HoverPreview* preview_ = nullptr;  // of the window; made when it is first needed
  bool hovered_ = false;             // the mouse is over this view, and not over another that shows the same time
  std::optional<Mark> dragged_;
};

}  // namespace longtake
