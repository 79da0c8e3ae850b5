// Where videos come from: the File menu, and what is dropped on the window.
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <algorithm>

#include "app/batch/inputs.h"
#include "app/studio/cameras.h"
#include "app/studio/key_model.h"
#include "app/studio/main_window.h"
#include "app/studio/message_bar.h"
#include "app/studio/source_name.h"
#include "app/studio/url_dialog.h"
#include "app/studio/welcome.h"

namespace longtake {

void MainWindow::make_file_actions() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  action(file, tr("&Open…"), {QKeySequence::Open}, [this] { ask_for_files(); });
  action(file, tr("Open &folder…"), {Qt::CTRL | Qt::SHIFT | Qt::Key_O}, [this] { ask_for_folder(); });
  action(file, tr("Open &URL…"), {Qt::CTRL | Qt::Key_U}, [this] { ask_for_url({}); });
  cameras_ = file->addMenu(tr("C&ameras"));
  connect(cameras_, &QMenu::aboutToShow, this, &MainWindow::list_cameras);
  recent_ = file->addMenu(tr("Open &recent"));
  connect(recent_, &QMenu::aboutToShow, this, &MainWindow::list_recent);
  for (QMenu* one : {cameras_, recent_}) one->setProperty(kLinesChange, true);
  list_cameras();
  list_recent();
  file->addSeparator();
  export_ = action(file, tr("&Export…"), {Qt::CTRL | Qt::Key_E}, [this] { ask_for_export(); });
  action(file, tr("&Close"), {QKeySequence::Close}, [this] { session_.close(); });
  action(file, tr("&Quit"), {QKeySequence::Quit}, [this] { close(); });
}

void MainWindow::open(const QString& uri) {
  messages_->hide();
  if (uri.endsWith(QStringLiteral(".ltm"), Qt::CaseInsensitive)) {
    session_.memories().load(uri);
    auto* memory = findChild<QDockWidget*>(QStringLiteral("memory"));
    memory->show();
    memory->raise();
    return;
  }
  session_.open(uri);
  remember_source();
}

// To be offered again: a file once it could be opened, an address at once, as its camera may only be asleep.
void MainWindow::remember_source() {
  using State = SessionController::State;
  const QString uri = session_.uri();
  const bool opened = session_.state() != State::kEmpty && session_.state() != State::kOpening;
  if (!(opened || uri.contains(QStringLiteral("://"))) || preferences_.recent().value(0) == uri) return;
  preferences_.add_recent(uri);
  welcome_->list_recent();
}

void MainWindow::open_all(const QStringList& uris) {
  const auto is_folder = [](const QString& uri) { return QFileInfo(uri).isDir(); };
  if (uris.size() == 1 && !is_folder(uris.front())) return open(uris.front());
  if (uris.isEmpty()) return;
  session_.videos().add(uris);
  auto* videos = findChild<QDockWidget*>(QStringLiteral("videos-dock"));
  videos->show();
  videos->raise();
  const auto first = std::ranges::find_if_not(uris, is_folder);
  if (first != uris.end()) open(*first);
}

void MainWindow::ask_for_files() {
  QStringList videos;
  for (const std::string_view ending : video_endings())
    videos << QLatin1Char('*') + QLatin1String(ending.data(), static_cast<qsizetype>(ending.size()));
  const QString kinds = tr("Videos and memories (%1 *.ltm);;All files (*)").arg(videos.join(QLatin1Char(' ')));
  open_all(QFileDialog::getOpenFileNames(this, tr("Open videos"), {}, kinds));
}

// What is there would only be made again.
void MainWindow::ask_to_analyze() {
  if (session_.state() != SessionController::State::kAnalyzed || session_.live_counts()) return session_.analyze();
  auto* question = new QMessageBox(QMessageBox::Question, tr("Analyse again?"),
                                   tr("This video has been analysed. Analysing it again takes the same time and gives "
                                      "the same result, unless another memory is to start from."),
                                   QMessageBox::Cancel, this);
  question->setAttribute(Qt::WA_DeleteOnClose);
  connect(question->addButton(tr("&Analyse again"), QMessageBox::AcceptRole), &QPushButton::clicked, &session_,
          &SessionController::analyze);
  question->setDefaultButton(QMessageBox::Cancel);
  question->open();
}

void MainWindow::ask_for_folder() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Open all videos of a folder"));
  if (!folder.isEmpty()) open_all({folder});
}

void MainWindow::ask_for_url(const QString& address) {
  UrlDialog dialog(address, this);
  if (dialog.exec() == QDialog::Accepted) open(dialog.address());
}

void MainWindow::open_recent(const QString& uri) { is_incomplete(uri) ? ask_for_url(uri) : open(uri); }

void MainWindow::list_cameras() {
  cameras_->clear();
  for (const Camera& camera : find_cameras()) {
    QAction* one = cameras_->addAction(tr("%1 (%2)").arg(camera.name, camera.device));
    connect(one, &QAction::triggered, this, [this, device = camera.device] { open(device); });
  }
  if (cameras_->isEmpty()) cameras_->addAction(tr("No camera found"))->setEnabled(false);
}

void MainWindow::list_recent() {
  recent_->clear();
  for (const QString& one : preferences_.recent()) {
    const bool path = !one.contains(QStringLiteral("://"));
    QAction* entry = recent_->addAction(
        QString(path ? QFileInfo(one).fileName() : one).replace(QLatin1Char('&'), QStringLiteral("&&")));
    entry->setToolTip(one);
    entry->setEnabled(!path || QFileInfo::exists(one));
    connect(entry, &QAction::triggered, this, [this, one] { open_recent(one); });
  }
  recent_->setToolTipsVisible(true);
  if (recent_->isEmpty()) {
    recent_->addAction(tr("Nothing opened yet"))->setEnabled(false);
    return;
  }
  recent_->addSeparator();
  connect(recent_->addAction(tr("&Clear this list")), &QAction::triggered, this, [this] {
    preferences_.clear_recent();
    welcome_->list_recent();
  });
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  QStringList uris;
  for (const QUrl& url : event->mimeData()->urls())
    uris << (url.isLocalFile() ? url.toLocalFile() : url.toString(QUrl::FullyEncoded));
  open_all(uris);
}

}  // namespace longtake
