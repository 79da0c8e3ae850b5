// The window: the video in the middle, everything that is known of it around it, in docks that can be moved.
#pragma once

#include <QAction>
#include <QMainWindow>
#include <QMenu>
#include <utility>

#include "app/studio/layer_model.h"
#include "app/studio/live_watch.h"
#include "app/studio/preferences.h"
#include "app/studio/session_controller.h"
#include "app/studio/thumbnails.h"

class QLabel;

namespace longtake {

class EventsPanel;
class KeyModel;
class LabelsPanel;
class LossView;
class MessageBar;
class SurpriseView;
class TimelineView;
class TransportBar;
class VideoView;
class Welcome;

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(SessionController& session, Preferences::Kept kept = Preferences::Kept::kOnDisk);

  // A path or URL.
  void open(const QString& uri);
  // Files, folders and URLs.
  void open_all(const QStringList& uris);

  Preferences& preferences() { return preferences_; }
  // As it was when the window was last closed; false if it says nothing of the window's own size.
  bool restore_layout();
  void reset_layout();

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void childEvent(QChildEvent* event) override;

 private:
  // A line of a menu; it can be reached by its keys from anywhere in the window.
  template <class What>
  QAction* action(QMenu* menu, const QString& text, const QList<QKeySequence>& keys, What&& what) {
    QAction* out = menu->addAction(text);
    out->setShortcuts(keys);
    connect(out, &QAction::triggered, this, std::forward<What>(what));
    addAction(out);
    return out;
  }
  void make_actions();
  void make_file_actions();
  void make_edit_actions();
  void make_play_actions();
  void make_analysis_actions();
  void make_view_actions();
  void make_help_actions();
  void make_loss_actions(QMenu* view);
  void make_speed_actions(QMenu* play);
  void make_picture_actions(QMenu* play);
  void make_screen_actions(QMenu* view);
  void ask_for_loss_file();
  void save_losses(const QString& file);
  void ask_for_time();
  void ask_for_picture();
  void set_full_screen(bool on);
  void make_docks();
  void make_middle();
  void make_live_views(QDockWidget* beside);
  void ask_for_files();
  void ask_for_folder();
  void ask_for_url(const QString& address);
  void open_recent(const QString& uri);
  void ask_for_export();
  void ask_for_preferences();
  void ask_to_analyze();
  void list_cameras();
  void list_recent();
  void make_layer_dock(QDockWidget* above);
  QDockWidget* make_video_dock();
  void share_out_room();
  void say_state();
  void open_thumbnails();
  void remember_source();
  QDockWidget* dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area);

  SessionController& session_;
  LiveWatch live_;
  Preferences preferences_;
  QByteArray usual_layout_;
  MessageBar* messages_;
  LayerModel layers_;
  Thumbnails thumbnails_;
  VideoView* video_;
  TimelineView* timeline_;
  LossView* loss_;
  SurpriseView* surprise_;
  EventsPanel* events_;
  LabelsPanel* labels_;
  TransportBar* transport_;
  Welcome* welcome_;
  QLabel *progress_, *memory_;
  bool full_screen_ = false;
  QByteArray layout_before_;  // that
  Qt::WindowStates state_before_;
  bool laid_out_ = false;  // the docks have the sizes of last time, or the usual ones
  QAction *analyze_ = nullptr, *stop_ = nullptr, *export_ = nullptr, *leave_full_screen_ = nullptr;
  KeyModel* keys_ = nullptr;
  QMenu *cameras_ = nullptr, *recent_ = nullptr;
};

}  // namespace longtake
