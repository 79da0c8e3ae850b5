// A live source in numbers: whether it gives pictures, how many of them, and how far behind the analysis is.
#pragma once

#include <QWidget>

#include "app/studio/live_watch.h"

class QFormLayout;
class QLabel;

namespace longtake {

class LivePanel : public QWidget {
  Q_OBJECT

 public:
  explicit LivePanel(const LiveWatch& watch, QWidget* parent = nullptr);

 private:
  QLabel* line(QFormLayout* lines, const QString& name, const QString& title);
  void say();

  const LiveWatch& watch_;
  QLabel *state_, *received_, *watched_, *dropped_, *errors_, *latency_;
};

// Over the video: says for how long no picture has come, so that an old one is not taken for what is there now.
class NoSignal : public QWidget {
  Q_OBJECT

 public:
  NoSignal(const LiveWatch& watch, QWidget* video);

  QString words() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  const LiveWatch& watch_;
};

}  // namespace longtake
