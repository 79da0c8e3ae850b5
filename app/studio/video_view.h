// The frame that is shown, and what is known of it.
#pragma once

#include <QWidget>

#include "app/studio/session_controller.h"

namespace longtake {

class VideoView : public QWidget {
  Q_OBJECT

 public:
  explicit VideoView(SessionController& session, QWidget* parent = nullptr);

  QSize sizeHint() const override { return {960, 540}; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;

 Q_SIGNALS:
  void open_wanted();

 private:
  SessionController& session_;
};

}  // namespace longtake
