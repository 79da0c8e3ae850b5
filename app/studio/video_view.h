// The frame that is shown, and what is known of it.
#pragma once

#include <QWidget>

#include "app/studio/session_controller.h"

namespace longtake {

class VideoView : public QWidget {
  Q_OBJECT

 public:
  explicit VideoView(SessionController& session, QWidget* parent = nullptr);

  // What was understood of the frame, written over it.
  bool shows_overlay() const { return overlay_; }
  void set_overlay(bool on);
  QStringList overlay() const;  // its lines now

  QSize sizeHint() const override { return {960, 540}; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;

 Q_SIGNALS:
  void full_screen_wanted();
  void pause_wanted();
  void wheel_turned(int steps);  // above 0: away from the hand

 private:
  SessionController& session_;
  bool overlay_ = true;
  int turned_ = 0;  // of the wheel, in eighths of a degree, since the last step
};

}  // namespace longtake
