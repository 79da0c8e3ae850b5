// What can be done, menu by menu.
#include <QAction>
#include <QDockWidget>
#include <QMenuBar>

#include "app/studio/events_panel.h"
#include "app/studio/labels_panel.h"
#include "app/studio/main_window.h"
#include "app/studio/transport_bar.h"

namespace longtake {

void MainWindow::make_actions() {
  make_file_actions();
  make_edit_actions();
  make_play_actions();
  make_analysis_actions();
  make_view_actions();
  make_help_actions();
}

void MainWindow::make_edit_actions() {
  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  for (QAction* one : events_->edit_actions()) {
    if (one)
      edit->addAction(one);
    else
      edit->addSeparator();
  }
  edit->addSeparator();
  edit->addAction(labels_->ask_action());
  QMenu* names = edit->addMenu(tr("The marked stretch &is"));
  for (QAction* one : labels_->key_actions()) names->addAction(one);
  edit->addSeparator();
  action(edit, tr("&Preferences…"), {Qt::CTRL | Qt::Key_Comma}, [this] { ask_for_preferences(); });
}

void MainWindow::make_play_actions() {
  TimeAxis& axis = session_.axis();
  QMenu* play = menuBar()->addMenu(tr("&Play"));
  QAction* play_or_pause = action(play, tr("Play or pause"), {Qt::Key_Space, Qt::Key_K},
                                  [this] { session_.play(session_.playing() ? 0 : session_.rate()); });
  action(play, tr("Backwards, faster"), {Qt::Key_J}, [this] { session_.shuttle(-1); });
  action(play, tr("Forwards, faster"), {Qt::Key_L}, [this] { session_.shuttle(1); });
  play->addSeparator();
  QAction* back = action(play, tr("One frame back"), {Qt::Key_Comma}, [this] { session_.step(-1); });
  QAction* on = action(play, tr("One frame forward"), {Qt::Key_Period}, [this] { session_.step(1); });
  const auto jump = [this](double seconds) {
    return [this, seconds] { session_.seek(session_.axis().playhead() + seconds); };
  };
  const auto arrow = [this, jump](int way) {
    return [this, way, jump] { session_.playing() ? jump(5.0 * way)() : session_.step(way); };
  };
  action(play, tr("Back (5 s; paused: a frame)"), {Qt::Key_Left}, arrow(-1));
  action(play, tr("Forward (5 s; paused: a frame)"), {Qt::Key_Right}, arrow(1));
  action(play, tr("1 s back"), {Qt::SHIFT | Qt::Key_Left}, jump(-1));
  action(play, tr("1 s forward"), {Qt::SHIFT | Qt::Key_Right}, jump(1));
  action(play, tr("1 min back"), {Qt::CTRL | Qt::Key_Left}, jump(-60));
  action(play, tr("1 min forward"), {Qt::CTRL | Qt::Key_Right}, jump(60));
  action(play, tr("To the start"), {Qt::Key_Home}, [this] { session_.seek(session_.axis().begin()); });
  action(play, tr("To the end"), {Qt::Key_End}, [this] { session_.seek(session_.axis().end()); });
  play->addSeparator();
  QAction* event_before =
      action(play, tr("Previous event"), {Qt::Key_Up, Qt::Key_PageUp}, [this] { session_.go_to_event(-1); });
  QAction* next_event =
      action(play, tr("Next event"), {Qt::Key_Down, Qt::Key_PageDown}, [this] { session_.go_to_event(1); });
  action(play, tr("Highest &surprise"), {Qt::Key_H}, [this] {
    if (const auto pts = session_.findings().levels().highest_pts()) session_.seek_pts(*pts);
  });
  play->addSeparator();
  action(play, tr("Mark in"), {Qt::Key_I}, [&axis] { axis.set_in(axis.playhead()); });
  action(play, tr("Mark out"), {Qt::Key_O}, [&axis] { axis.set_out(axis.playhead()); });
  make_speed_actions(play);
  make_picture_actions(play);
  transport_->add_step(event_before, Glyph::kEventBefore);
  transport_->add_step(back, Glyph::kFrameBack);
  transport_->add_play(play_or_pause);
  transport_->add_step(on, Glyph::kFrameOn);
  transport_->add_step(next_event, Glyph::kNextEvent);
}

void MainWindow::make_analysis_actions() {
  QMenu* watch = menuBar()->addMenu(tr("&Analysis"));
  analyze_ = action(watch, tr("&Analyse"), {Qt::CTRL | Qt::Key_R}, [this] { ask_to_analyze(); });
  stop_ = action(watch, tr("&Stop"), {Qt::CTRL | Qt::Key_Period}, [this] { session_.stop_analysis(); });
  watch->addSeparator();
  QAction* follow = action(watch, tr("Show the &frames while they are watched"), {}, [] {});
  follow->setCheckable(true);
  follow->setChecked(session_.follows());
  connect(follow, &QAction::toggled, &session_, &SessionController::set_follows);
  transport_->add_work(analyze_, Glyph::kAnalyze);
  transport_->add_work(stop_, Glyph::kStop);
  transport_->add_work(export_, Glyph::kExport);
}

void MainWindow::make_view_actions() {
  TimeAxis& axis = session_.axis();
  QMenu* view = menuBar()->addMenu(tr("&View"));
  make_screen_actions(view);
  action(view, tr("Zoom in"), {Qt::Key_Plus, Qt::CTRL | Qt::Key_Plus, Qt::CTRL | Qt::Key_Up},
         [&axis] { axis.zoom(0.5, axis.playhead()); });
  action(view, tr("Zoom out"), {Qt::Key_Minus, Qt::CTRL | Qt::Key_Minus, Qt::CTRL | Qt::Key_Down},
         [&axis] { axis.zoom(2, axis.playhead()); });
  action(view, tr("Zoom to all of it"), {Qt::Key_Z}, [&axis] { axis.show_all(); });
  make_loss_actions(view->addMenu(tr("Inner loss c&urves")));
  view->addSeparator();
  action(view, tr("Reset the &layout"), {}, [this] { reset_layout(); });
  view->addSeparator();
  for (QDockWidget* one : findChildren<QDockWidget*>()) view->addAction(one->toggleViewAction());
}

}  // namespace longtake
