#include "app/studio/main_window.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QLabel>
#include <QStatusBar>
#include <QTabBar>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "app/studio/events_panel.h"
#include "app/studio/labels_panel.h"
#include "app/studio/layer_table.h"
#include "app/studio/live_panel.h"
#include "app/studio/loss_view.h"
#include "app/studio/memory_panel.h"
#include "app/studio/message_bar.h"
#include "app/studio/preferences_dialog.h"
#include "app/studio/surprise_view.h"
#include "app/studio/timeline_view.h"
#include "app/studio/transport_bar.h"
#include "app/studio/video_panel.h"
#include "app/studio/video_view.h"
#include "app/studio/welcome.h"

namespace longtake {

MainWindow::MainWindow(SessionController& session, Preferences::Kept kept)
    : session_(session),
      live_(session),
      preferences_(kept),
      layers_(session.findings(), session.axis()),
      thumbnails_(this) {
  setWindowTitle(tr("Longtake"));
  setAcceptDrops(true);
  video_ = new VideoView(session_, this);
  timeline_ = new TimelineView(session_.findings(), session_.axis(), this);
  loss_ = new LossView(session_.findings(), session_.axis(), layers_, this);
  timeline_->set_thumbnails(&thumbnails_);
  surprise_ = new SurpriseView(session_.findings(), session_.axis(), session_.project(), this);
  events_ = new EventsPanel(session_, this);
  labels_ = new LabelsPanel(session_, this);
  progress_ = new QLabel(this);
  memory_ = new QLabel(this);
  make_middle();
  make_docks();
  make_actions();
  usual_layout_ = saveState();
  statusBar()->addWidget(progress_, 1);
  statusBar()->addPermanentWidget(memory_);

  for (PlotArea* view :
       {static_cast<PlotArea*>(timeline_), static_cast<PlotArea*>(loss_), static_cast<PlotArea*>(surprise_)}) {
    connect(view, &PlotArea::seek_wanted, &session_, &SessionController::seek);
  }
  connect(labels_, &LabelsPanel::finished, video_, [this] { video_->setFocus(); });
  connect(&session_, &SessionController::state_changed, this, &MainWindow::say_state);
  connect(&session_, &SessionController::state_changed, this, &MainWindow::open_thumbnails);
  connect(&session_, &SessionController::state_changed, this, &MainWindow::remember_source);
  connect(&session_.findings(), &Findings::changed, this, &MainWindow::say_state);
  connect(&session_, &SessionController::failed, this,
          [this](const Error& error) { messages_->say(QString::fromStdString(error.message)); });
  connect(&session_, &SessionController::noticed, this, [this](const QString& sentence) { messages_->say(sentence); });
  say_state();
}

void MainWindow::make_middle() {
  messages_ = new MessageBar(this);
  transport_ = new TransportBar(session_, this);
  welcome_ = new Welcome(preferences_, video_);
  auto* over_video = new QVBoxLayout(video_);
  over_video->setContentsMargins(0, 0, 0, 0);
  over_video->addWidget(welcome_);
  connect(welcome_, &Welcome::files_wanted, this, &MainWindow::ask_for_files);
  connect(welcome_, &Welcome::folder_wanted, this, &MainWindow::ask_for_folder);
  connect(welcome_, &Welcome::address_wanted, this, [this] { ask_for_url({}); });
  connect(welcome_, &Welcome::recent_wanted, this, &MainWindow::open_recent);
  auto* middle = new QWidget(this);
  auto* column = new QVBoxLayout(middle);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(messages_);
  column->addWidget(video_, 1);
  column->addWidget(transport_);
  setCentralWidget(middle);
}

QDockWidget* MainWindow::dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area) {
  auto* out = new QDockWidget(title, this);
  out->setObjectName(name);  // by which the layout is saved
  out->setWidget(widget);
  addDockWidget(area, out);
  return out;
}

void MainWindow::make_docks() {
  QDockWidget* events = dock(QStringLiteral("events"), tr("Events"), events_, Qt::RightDockWidgetArea);
  make_layer_dock(events);  // before another one is laid over the events: one cannot stand below two
  QDockWidget* memory =
      dock(QStringLiteral("memory"), tr("Memory"), new MemoryPanel(session_, this), Qt::RightDockWidgetArea);
  tabifyDockWidget(events, memory);
  tabifyDockWidget(events, make_video_dock());
  make_live_views(memory);
  tabifyDockWidget(events, dock(QStringLiteral("labels"), tr("Labels"), labels_, Qt::RightDockWidgetArea));
  events->raise();
  QDockWidget* timeline = dock(QStringLiteral("timeline"), tr("Timeline"), timeline_, Qt::BottomDockWidgetArea);
  QDockWidget* loss = dock(QStringLiteral("loss"), tr("Inner loss"), loss_, Qt::BottomDockWidgetArea);
  splitDockWidget(timeline, loss, Qt::Vertical);
  QDockWidget* surprise = dock(QStringLiteral("surprise"), tr("Surprise"), surprise_, Qt::BottomDockWidgetArea);
  tabifyDockWidget(loss, surprise);
  loss->raise();
  // Titles at the side and not above: the height is the video's.
  for (QDockWidget* one : {timeline, loss, surprise})
    one->setFeatures(one->features() | QDockWidget::DockWidgetVerticalTitleBar);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  setTabPosition(Qt::RightDockWidgetArea, QTabWidget::North);
}

// Out of the way while no live source is open.
void MainWindow::make_live_views(QDockWidget* beside) {
  new NoSignal(live_, video_);
  QDockWidget* live = dock(QStringLiteral("live"), tr("Live"), new LivePanel(live_, this), Qt::RightDockWidgetArea);
  tabifyDockWidget(beside, live);
  live->hide();
  connect(&session_, &SessionController::state_changed, live, [this, live] {
    if (session_.state() != SessionController::State::kOpening || !session_.live_counts()) return;
    live->show();
    live->raise();
  });
}

QDockWidget* MainWindow::make_video_dock() {
  auto* panel = new VideoPanel(session_.videos(), this);
  connect(panel, &VideoPanel::open_wanted, this, &MainWindow::open);
  connect(&session_.videos(), &VideoList::failed, &session_, &SessionController::failed);
  connect(&session_, &SessionController::state_changed, panel,
          [this, panel] { panel->set_free(session_.state() != SessionController::State::kAnalyzing); });
  return dock(QStringLiteral("videos-dock"), tr("Videos"), panel, Qt::RightDockWidgetArea);
}

void MainWindow::make_layer_dock(QDockWidget* above) {
  auto* table = new LayerTable(session_.findings(), session_.axis(), layers_, this);
  splitDockWidget(above, dock(QStringLiteral("layers"), tr("Layers"), table, Qt::RightDockWidgetArea), Qt::Vertical);
}

void MainWindow::ask_for_preferences() {
  auto* dialog = new PreferencesDialog(preferences_, session_, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  if (!std::exchange(laid_out_, true)) share_out_room();
}

// Docks that lie over each other get a bar of tabs, whenever that happens.
void MainWindow::childEvent(QChildEvent* event) {
  QMainWindow::childEvent(event);
  if (auto* tabs = event->polished() ? qobject_cast<QTabBar*>(event->child()) : nullptr)
    tabs->setAccessibleName(tr("Panels"));
}

// More than half of the height is the video's, and the curves get more of the rest than the timeline needs.
void MainWindow::share_out_room() {
  const auto dock_of = [this](const char* name) { return findChild<QDockWidget*>(QLatin1String(name)); };
  const int below = height() * 2 / 5;
  const int line = fontMetrics().height();
  const int timeline = std::clamp(below * 2 / 5, 7 * line, 12 * line);
  resizeDocks({dock_of("timeline"), dock_of("loss")}, {timeline, below - timeline}, Qt::Vertical);
  resizeDocks({dock_of("events")}, {std::clamp(width() / 4, 280, 420)}, Qt::Horizontal);
  resizeDocks({dock_of("events"), dock_of("layers")}, {height() - 9 * line, 9 * line}, Qt::Vertical);
}

void MainWindow::say_state() {
  using State = SessionController::State;
  const State state = session_.state();
  welcome_->setVisible(state == State::kEmpty);
  analyze_->setEnabled(state == State::kReady || state == State::kAnalyzed);
  stop_->setEnabled(state == State::kAnalyzing);
  setWindowTitle(state == State::kEmpty ? tr("Longtake")
                                        : tr("%1 – Longtake").arg(QString::fromStdString(session_.info().source)));
  if (state == State::kEmpty || state == State::kOpening) {
    progress_->clear();
    memory_->clear();
    return;
  }
  const std::int64_t frames = session_.findings().curves().frames();
  const auto listed = static_cast<qsizetype>(session_.findings().events().events().size());
  const QString events = listed == 1 ? tr("1 event") : tr("%L1 events").arg(listed);
  if (state == State::kAnalyzing) {
    progress_->setText(tr("Analysing: %L1 frames, %2").arg(frames).arg(events));
  } else if (state == State::kAnalyzed) {
    progress_->setText(tr("%L1 frames, %2").arg(frames).arg(events));
  } else {
    progress_->setText(frames == 0
                           ? tr("Not analysed yet (Ctrl+R)")
                           : tr("Analysed as far as %1 (Ctrl+R)").arg(clock_text(session_.findings().last_t())));
  }
  const auto bytes = session_.state_bytes();
  memory_->setText(bytes ? tr("Memory: %1 MB, does not grow").arg(static_cast<double>(*bytes) / 1e6, 0, 'f', 1)
                         : QString());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  set_full_screen(false);
  preferences_.set_layout(saveGeometry(), saveState());
  session_.close();
  event->accept();
}

bool MainWindow::restore_layout() {
  const bool placed = restoreGeometry(preferences_.geometry());
  laid_out_ = restoreState(preferences_.layout());
  return placed;
}

void MainWindow::reset_layout() {
  restoreState(usual_layout_);
  share_out_room();
}

}  // namespace longtake
