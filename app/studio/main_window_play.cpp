// More of what can be done with the player: speeds, loops, times, pictures, the whole screen.
#include <QAction>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QStatusBar>
#include <cmath>

#include "app/studio/go_to_dialog.h"
#include "app/studio/main_window.h"
#include "app/studio/transport_bar.h"
#include "app/studio/video_view.h"

namespace longtake {

void MainWindow::make_speed_actions(QMenu* play) {
  const auto faster = [this](double times) { return [this, times] { session_.set_rate(session_.rate() * times); }; };
  play->addSeparator();
  action(play, tr("Slower by a tenth"), {Qt::Key_BracketLeft}, faster(1 / 1.1));
  action(play, tr("Faster by a tenth"), {Qt::Key_BracketRight}, faster(1.1));
  action(play, tr("Half as fast"), {Qt::Key_BraceLeft}, faster(0.5));
  action(play, tr("Twice as fast"), {Qt::Key_BraceRight}, faster(2));
  action(play, tr("Normal speed"), {Qt::Key_Backspace}, [this] { session_.set_rate(1); });
  QAction* loop = action(play, tr("&Repeat the marked range"), {Qt::Key_R}, [] {});
  loop->setCheckable(true);
  connect(loop, &QAction::toggled, &session_, &SessionController::set_looping);
}

void MainWindow::make_picture_actions(QMenu* play) {
  play->addSeparator();
  action(play, tr("&Go to…"), {Qt::Key_G, Qt::CTRL | Qt::Key_G}, [this] { ask_for_time(); });
  action(play, tr("&Save this picture…"), {Qt::Key_S}, [this] { ask_for_picture(); });
  connect(&session_, &SessionController::snapshot_saved, this,
          [this](const QString& file) { statusBar()->showMessage(tr("Saved %1").arg(file), 5000); });
  connect(video_, &VideoView::full_screen_wanted, this, [this] { set_full_screen(!full_screen_); });
  connect(video_, &VideoView::pause_wanted, this, [this] { session_.play(session_.playing() ? 0 : session_.rate()); });
  connect(video_, &VideoView::wheel_turned, this, [this](int steps) {
    session_.playing() ? session_.seek(session_.axis().playhead() + 5.0 * steps) : session_.step(steps);
  });
}

void MainWindow::make_screen_actions(QMenu* view) {
  QAction* full = action(view, tr("&Full screen"), {Qt::Key_F}, [this] { set_full_screen(!full_screen_); });
  transport_->add_work(full, Glyph::kFullScreen);
  leave_full_screen_ = action(view, tr("Lea&ve the full screen"), {Qt::Key_Escape}, [this] { set_full_screen(false); });
  leave_full_screen_->setEnabled(false);
  QAction* overlay = action(view, tr("&Predictions over the video"), {Qt::Key_P}, [] {});
  overlay->setCheckable(true);
  overlay->setChecked(video_->shows_overlay());
  connect(overlay, &QAction::toggled, video_, &VideoView::set_overlay);
  view->addSeparator();
}

void MainWindow::ask_for_time() {
  if (session_.image().isNull()) return;
  auto* dialog = new GoToDialog(session_.axis().playhead(), this);
  connect(dialog, &GoToDialog::wanted, &session_, &SessionController::seek_time);
  dialog->open();
}

// The frame is the one that is shown when the name is chosen.
void MainWindow::ask_for_picture() {
  if (session_.image().isNull()) return;
  session_.play(0);
  QString time = clock_text(session_.axis().playhead());
  time.replace(QLatin1Char(':'), QLatin1Char('.'));
  const QFileInfo video(session_.uri());
  auto* dialog = new QFileDialog(this, tr("Save this picture"),
                                 video.exists() ? video.absolutePath() : QDir::homePath(), tr("PNG pictures (*.png)"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(QStringLiteral("png"));
  dialog->selectFile(QStringLiteral("%1 %2.png").arg(video.completeBaseName(), time));
  connect(dialog, &QFileDialog::fileSelected, &session_, &SessionController::save_snapshot);
  dialog->open();
}

// Only the video; all else comes back as it was.
void MainWindow::set_full_screen(bool on) {
  if (on == full_screen_) return;
  full_screen_ = on;
  if (on) {
    layout_before_ = saveState();
    state_before_ = windowState();
    for (QDockWidget* one : findChildren<QDockWidget*>()) one->hide();
  }
  menuBar()->setVisible(!on);
  transport_->setVisible(!on);
  statusBar()->setVisible(!on);
  setWindowState(on ? state_before_ | Qt::WindowFullScreen : state_before_);
  if (!on) restoreState(layout_before_);
  leave_full_screen_->setEnabled(on);
}

// When a video has been opened, and none when it is closed.
void MainWindow::open_thumbnails() {
  using State = SessionController::State;
  if (session_.state() == State::kOpening || session_.state() == State::kEmpty) thumbnails_.close();
  const bool there = session_.state() == State::kReady || session_.state() == State::kAnalyzed;
  if (there && !thumbnails_.is_open()) thumbnails_.open(session_.uri());
}

}  // namespace longtake
