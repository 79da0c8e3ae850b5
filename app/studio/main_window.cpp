#include "app/studio/main_window.h"

#include <QAction>
#include <QActionGroup>
#include <QCloseEvent>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QMenuBar>
#include <QMimeData>
#include <QStatusBar>
#include <QTableView>
#include <QToolBar>

#include "app/studio/loss_view.h"
#include "app/studio/timeline_view.h"
#include "app/studio/video_view.h"

namespace longtake {

MainWindow::MainWindow(SessionController& session) : session_(session) {
  setWindowTitle(tr("Longtake"));
  setAcceptDrops(true);
  video_ = new VideoView(session_, this);
  timeline_ = new TimelineView(session_.findings(), session_.axis(), this);
  loss_ = new LossView(session_.findings(), session_.axis(), this);
  events_ = new QTableView(this);
  position_ = new QLabel(this);
  progress_ = new QLabel(this);
  memory_ = new QLabel(this);
  setCentralWidget(video_);
  make_docks();
  make_actions();
  statusBar()->addWidget(position_);
  statusBar()->addWidget(progress_, 1);
  statusBar()->addPermanentWidget(memory_);

  for (PlotArea* view : {static_cast<PlotArea*>(timeline_), static_cast<PlotArea*>(loss_)}) {
    connect(view, &PlotArea::seek_wanted, &session_, &SessionController::seek);
  }
  connect(video_, &VideoView::open_wanted, this, &MainWindow::ask_for_file);
  connect(&session_, &SessionController::state_changed, this, &MainWindow::say_state);
  connect(&session_.findings(), &Findings::changed, this, &MainWindow::say_state);
  connect(&session_, &SessionController::image_changed, this, &MainWindow::say_state);
  connect(&session_, &SessionController::failed, this,
          [this](const Error& error) { statusBar()->showMessage(QString::fromStdString(error.message), 15'000); });
  say_state();
}

QDockWidget* MainWindow::dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area) {
  auto* out = new QDockWidget(title, this);
  out->setObjectName(name);  // by which the layout is saved
  out->setWidget(widget);
  addDockWidget(area, out);
  return out;
}

void MainWindow::make_docks() {
  sorted_events_.setSourceModel(&session_.findings().events());
  sorted_events_.setSortRole(EventModel::kSortRole);
  events_->setModel(&sorted_events_);
  events_->setObjectName(QStringLiteral("events"));
  events_->setAccessibleName(tr("Events"));
  events_->setSortingEnabled(true);
  events_->sortByColumn(EventModel::kTime, Qt::AscendingOrder);
  events_->setSelectionBehavior(QAbstractItemView::SelectRows);
  events_->setSelectionMode(QAbstractItemView::SingleSelection);
  events_->setAlternatingRowColors(true);
  events_->setShowGrid(false);
  events_->verticalHeader()->hide();
  events_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  events_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  events_->horizontalHeader()->setSectionResizeMode(EventModel::kTime, QHeaderView::ResizeToContents);
  const auto jump = [this](const QModelIndex& index) {
    if (!index.isValid()) return;
    const auto row = static_cast<std::size_t>(sorted_events_.mapToSource(index).row());
    session_.seek_pts(session_.findings().events().events()[row].pts);
  };
  connect(events_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, jump);
  connect(events_, &QTableView::activated, this, jump);

  dock(QStringLiteral("events"), tr("Events"), events_, Qt::RightDockWidgetArea);
  QDockWidget* timeline = dock(QStringLiteral("timeline"), tr("Timeline"), timeline_, Qt::BottomDockWidgetArea);
  QDockWidget* loss =
      dock(QStringLiteral("loss"), tr("Inner loss: what every layer learns"), loss_, Qt::BottomDockWidgetArea);
  splitDockWidget(timeline, loss, Qt::Vertical);
  setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);
}

void MainWindow::make_actions() {
  const auto action = [this](QMenu* menu, const QString& text, const QList<QKeySequence>& keys, auto&& what) {
    auto* out = menu->addAction(text);
    out->setShortcuts(keys);
    connect(out, &QAction::triggered, this, std::forward<decltype(what)>(what));
    addAction(out);
    return out;
  };
  QMenu* file = menuBar()->addMenu(tr("&File"));
  action(file, tr("&Open…"), {QKeySequence::Open}, [this] { ask_for_file(); });
  action(file, tr("&Close"), {QKeySequence::Close}, [this] { session_.close(); });
  file->addSeparator();
  action(file, tr("&Quit"), {QKeySequence::Quit}, [this] { close(); });

  QMenu* play = menuBar()->addMenu(tr("&Play"));
  action(play, tr("Play or pause"), {Qt::Key_Space, Qt::Key_K}, [this] { session_.play(session_.playing() ? 0 : 1); });
  action(play, tr("Backwards, faster"), {Qt::Key_J}, [this] { session_.shuttle(-1); });
  action(play, tr("Forwards, faster"), {Qt::Key_L}, [this] { session_.shuttle(1); });
  play->addSeparator();
  action(play, tr("One frame back"), {Qt::Key_Comma}, [this] { session_.step(-1); });
  action(play, tr("One frame on"), {Qt::Key_Period}, [this] { session_.step(1); });
  const auto jump = [this](double seconds) {
    return [this, seconds] { session_.seek(session_.axis().playhead() + seconds); };
  };
  const auto arrow = [this, jump](int way) {
    return [this, way, jump] { session_.playing() ? jump(5.0 * way)() : session_.step(way); };
  };
  action(play, tr("Back (5 s; paused: a frame)"), {Qt::Key_Left}, arrow(-1));
  action(play, tr("On (5 s; paused: a frame)"), {Qt::Key_Right}, arrow(1));
  action(play, tr("1 s back"), {Qt::SHIFT | Qt::Key_Left}, jump(-1));
  action(play, tr("1 s on"), {Qt::SHIFT | Qt::Key_Right}, jump(1));
  action(play, tr("1 min back"), {Qt::CTRL | Qt::Key_Left}, jump(-60));
  action(play, tr("1 min on"), {Qt::CTRL | Qt::Key_Right}, jump(60));
  action(play, tr("To the start"), {Qt::Key_Home}, [this] { session_.seek(session_.axis().begin()); });
  action(play, tr("To the end"), {Qt::Key_End}, [this] { session_.seek(session_.axis().end()); });
  play->addSeparator();
  action(play, tr("Event before"), {Qt::Key_Up, Qt::Key_PageUp}, [this] { session_.go_to_event(-1); });
  action(play, tr("Next event"), {Qt::Key_Down, Qt::Key_PageDown}, [this] { session_.go_to_event(1); });
  play->addSeparator();
  TimeAxis& axis = session_.axis();
  action(play, tr("Mark in"), {Qt::Key_I}, [&axis] { axis.set_in(axis.playhead()); });
  action(play, tr("Mark out"), {Qt::Key_O}, [&axis] { axis.set_out(axis.playhead()); });

  QMenu* watch = menuBar()->addMenu(tr("&Analysis"));
  analyze_ = action(watch, tr("&Analyse"), {Qt::CTRL | Qt::Key_R}, [this] { session_.analyze(); });
  stop_ = action(watch, tr("&Stop"), {Qt::Key_Escape}, [this] { session_.stop_analysis(); });

  QMenu* view = menuBar()->addMenu(tr("&View"));
  action(view, tr("Nearer"), {Qt::Key_Plus, Qt::CTRL | Qt::Key_Plus}, [&axis] { axis.zoom(0.5, axis.playhead()); });
  action(view, tr("Farther"), {Qt::Key_Minus, Qt::CTRL | Qt::Key_Minus}, [&axis] { axis.zoom(2, axis.playhead()); });
  action(view, tr("All of it"), {Qt::Key_Z}, [&axis] { axis.show_all(); });
  QAction* logarithmic = view->addAction(tr("Loss on a &logarithmic scale"));
  logarithmic->setCheckable(true);
  logarithmic->setChecked(loss_->logarithmic());
  connect(logarithmic, &QAction::toggled, loss_, &LossView::set_logarithmic);
  auto* drawings = new QActionGroup(this);
  const auto drawing = [&](const QString& text, LossView::Drawing what) {
    QAction* out = drawings->addAction(text);
    out->setCheckable(true);
    out->setChecked(loss_->drawing() == what);
    connect(out, &QAction::triggered, loss_, [this, what] { loss_->set_drawing(what); });
    view->addAction(out);
  };
  drawing(tr("Inner loss as &curves"), LossView::Drawing::kLosses);
  drawing(tr("Inner loss as &heat map"), LossView::Drawing::kHeat);
  drawing(tr("&Drift of the fast weights"), LossView::Drawing::kDrift);
  view->addSeparator();
  for (QDockWidget* one : findChildren<QDockWidget*>()) view->addAction(one->toggleViewAction());

  QToolBar* bar = addToolBar(tr("Analysis"));
  bar->setObjectName(QStringLiteral("analysis"));
  bar->setMovable(false);
  bar->addAction(analyze_);
  bar->addAction(stop_);
}

void MainWindow::open(const QString& uri) { session_.open(uri); }

void MainWindow::ask_for_file() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Open a video"));
  if (!file.isEmpty()) open(file);
}

void MainWindow::say_state() {
  using State = SessionController::State;
  const State state = session_.state();
  analyze_->setEnabled(state == State::kReady || state == State::kAnalyzed);
  stop_->setEnabled(state == State::kAnalyzing);
  setWindowTitle(state == State::kEmpty ? tr("Longtake")
                                        : tr("%1 – Longtake").arg(QString::fromStdString(session_.info().source)));
  if (state == State::kEmpty || state == State::kOpening) {
    position_->clear();
    progress_->clear();
    memory_->clear();
    return;
  }
  QString where = clock_text(session_.axis().playhead());
  if (session_.playing() && session_.speed() != 1) where += tr("  ×%1").arg(session_.speed());
  position_->setText(where);
  const std::int64_t frames = session_.findings().curves().frames();
  const qsizetype events = static_cast<qsizetype>(session_.findings().events().events().size());
  if (state == State::kAnalyzing) {
    progress_->setText(tr("Analysing: %L1 frames, %L2 events").arg(frames).arg(events));
  } else if (state == State::kAnalyzed) {
    progress_->setText(tr("%L1 frames, %L2 events").arg(frames).arg(events));
  } else {
    progress_->setText(tr("Not analysed yet (Ctrl+R)"));
  }
  const auto bytes = session_.state_bytes();
  memory_->setText(bytes ? tr("Memory: %1 MB").arg(static_cast<double>(*bytes) / 1e6, 0, 'f', 1) : QString());
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (!urls.isEmpty()) open(urls.front().isLocalFile() ? urls.front().toLocalFile() : urls.front().toString());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  session_.close();
  event->accept();
}

}  // namespace longtake
