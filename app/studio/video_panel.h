// The list of videos, and what can be done with all of them.
#pragma once

#include <QWidget>

#include "app/studio/video_list.h"

class QLabel;
class QPushButton;
class QTableView;

namespace longtake {

class VideoPanel : public QWidget {
  Q_OBJECT

 public:
  explicit VideoPanel(VideoList& videos, QWidget* parent = nullptr);

  // false: another analysis is at work, and the list has to wait.
  void set_free(bool free);

 Q_SIGNALS:
  void open_wanted(const QString& path);

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void say_state();

  VideoList& videos_;
  bool free_ = true;
  QTableView* table_;
  QPushButton *watch_, *pause_, *retry_;
  QLabel *empty_, *sum_;
};

}  // namespace longtake
