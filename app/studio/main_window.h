// The window: the video in the middle, everything that is known of it around it, in docks that can be moved.
#pragma once

#include <QMainWindow>
#include <QSortFilterProxyModel>

#include "app/studio/session_controller.h"

class QLabel;
class QTableView;

namespace longtake {

class LossView;
class TimelineView;
class VideoView;

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(SessionController& session);

  void open(const QString& uri);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  void make_actions();
  void make_docks();
  void ask_for_file();
  void say_state();
  QDockWidget* dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area);

  SessionController& session_;
  VideoView* video_;
  TimelineView* timeline_;
  LossView* loss_;
  QTableView* events_;
  QSortFilterProxyModel sorted_events_;
  QLabel *position_, *progress_, *memory_;
  QAction *analyze_ = nullptr, *stop_ = nullptr;
};

}  // namespace longtake
