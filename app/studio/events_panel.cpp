#include "app/studio/events_panel.h"

#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSlider>
#include <QStackedWidget>
#include <QStyle>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>
#include <set>
#include <utility>

#include "app/studio/colours.h"
#include "app/studio/own_keys.h"

namespace longtake {
namespace {

constexpr int kMostPercent = 100;

}  // namespace

EventsPanel::EventsPanel(SessionController& session, QWidget* parent)
    : QWidget(parent), session_(session), filter_(session.findings().events()) {
  auto* page = new QWidget(this);
  auto* events = new QVBoxLayout(page);
  events->setContentsMargins(0, 4, 0, 0);
  events->addWidget(make_filters());
  events->addWidget(make_event_list(), 1);
  events->addWidget(make_thresholds());
  tabs_ = new QTabWidget(this);
  tabs_->setObjectName(QStringLiteral("event_tabs"));
  tabs_->setDocumentMode(true);
  tabs_->addTab(page, tr("Events"));
  tabs_->addTab(make_segment_list(), tr("Segments"));
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->addWidget(tabs_);
  make_actions();

  connect(&session_.findings().events(), &EventModel::about_to_change, this, &EventsPanel::keep_choice);
  connect(&session_.findings(), &Findings::changed, this, &EventsPanel::choose_kept);
  connect(&session_, &SessionController::image_changed, this, &EventsPanel::choose_shown);
  connect(&session_, &SessionController::state_changed, this, &EventsPanel::show_state);
  connect(&session_.findings(), &Findings::changed, this, &EventsPanel::show_state);
  connect(&session_.project(), &Project::changed, this, &EventsPanel::show_state);
  connect(&filter_, &QAbstractItemModel::rowsInserted, this, &EventsPanel::show_kinds);
  connect(&filter_, &QAbstractItemModel::rowsRemoved, this, &EventsPanel::show_state);
  connect(&filter_, &QAbstractItemModel::rowsInserted, this, &EventsPanel::show_state);
  connect(tabs_, &QTabWidget::currentChanged, this, &EventsPanel::show_state);
  show_state();
}

QWidget* EventsPanel::make_filters() {
  auto* out = new QWidget(this);
  auto* row = new QHBoxLayout(out);
  row->setContentsMargins(4, 0, 4, 0);
  auto* text = new QLineEdit(out);
  text->setObjectName(QStringLiteral("event_text"));
  text->setPlaceholderText(tr("Filter"));
  text->setAccessibleName(tr("Show only events with this in their name"));
  text->setClearButtonEnabled(true);
  kind_ = new QComboBox(out);
  kind_->setObjectName(QStringLiteral("event_kind"));
  kind_->setAccessibleName(tr("Show only events of this kind"));
  kind_->addItem(tr("All kinds"), QString());
  auto* score = new QDoubleSpinBox(out);
  score->setObjectName(QStringLiteral("event_score"));
  score->setAccessibleName(tr("Show only events of at least this score"));
  score->setToolTip(score->accessibleName());
  score->setPrefix(tr("score ≥ "));
  score->setRange(0, 1000);
  score->setDecimals(1);
  row->addWidget(text, 1);
  row->addWidget(kind_);
  row->addWidget(score);
  connect(text, &QLineEdit::textChanged, &filter_, &EventFilter::set_text);
  connect(kind_, &QComboBox::currentIndexChanged, &filter_,
          [this] { filter_.set_kind(kind_->currentData().toString()); });
  connect(score, &QDoubleSpinBox::valueChanged, &filter_, &EventFilter::set_least_score);
  return out;
}

QWidget* EventsPanel::make_thresholds() {
  auto* out = new QWidget(this);
  auto* form = new QFormLayout(out);
  form->setContentsMargins(4, 0, 4, 4);
  confidence_ = new QSlider(Qt::Horizontal, out);
  confidence_->setObjectName(QStringLiteral("least_confidence"));
  confidence_->setRange(0, kMostPercent);
  confidence_->setAccessibleName(tr("How sure an event has to be to count"));
  confidence_->setToolTip(tr("What is less sure is hidden everywhere, not deleted"));
  confidence_text_ = new QLabel(out);
  confidence_text_->setMinimumWidth(fontMetrics().horizontalAdvance(tr("%1 %").arg(kMostPercent)));
  auto* sure = new QHBoxLayout;
  sure->addWidget(confidence_, 1);
  sure->addWidget(confidence_text_);
  form->addRow(tr("Sure at least"), sure);
  surprise_ = new QDoubleSpinBox(out);
  surprise_->setObjectName(QStringLiteral("surprise_level"));
  surprise_->setRange(SurpriseTest::kTailStart - 0.1, 1000);
  surprise_->setSingleStep(0.1);
  surprise_->setDecimals(2);
  surprise_->setSpecialValueText(tr("by Longtake's own rule"));
  surprise_->setAccessibleName(tr("Surprise from which on there is a boundary"));
  surprise_->setToolTip(tr("In deviations; also the line over the surprise curve"));
  form->addRow(tr("Boundary at"), surprise_);
  count_ = new QLabel(out);
  count_->setObjectName(QStringLiteral("event_count"));
  form->addRow(count_);
  connect(confidence_, &QSlider::sliderPressed, this, [this] { gesture_ = session_.project().new_gesture(); });
  connect(confidence_, &QSlider::valueChanged, this, &EventsPanel::set_thresholds);
  connect(surprise_, &QDoubleSpinBox::valueChanged, this, &EventsPanel::set_thresholds);
  return out;
}

void EventsPanel::prepare(QTableView* table, int stretched) {
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setAlternatingRowColors(true);
  table->setShowGrid(false);
  table->setEditTriggers(QAbstractItemView::DoubleClicked);  // F2 is an action, as of a menu
  table->setContextMenuPolicy(Qt::ActionsContextMenu);
  table->setTabKeyNavigation(false);  // Tab leaves the list
  table->verticalHeader()->hide();
  table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->horizontalHeader()->setSectionResizeMode(stretched, QHeaderView::Stretch);
  keep_keys(*table, moving_keys());
}

QWidget* EventsPanel::make_event_list() {
  events_ = new QTableView(this);
  events_->setObjectName(QStringLiteral("events"));
  events_->setAccessibleName(tr("Events"));
  events_->setModel(&filter_);
  events_->setSortingEnabled(true);
  events_->sortByColumn(EventModel::kTime, Qt::AscendingOrder);
  events_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  prepare(events_, EventModel::kKind);
  connect(events_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
    if (events_->hasFocus() && !choosing_) jump_to_event(index);  // and not since rows came or went
  });
  connect(events_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &EventsPanel::show_state);
  connect(events_, &QTableView::clicked, this, &EventsPanel::jump_to_event);
  what_to_do_ = new QLabel(this);
  what_to_do_->setObjectName(QStringLiteral("what_to_do"));
  what_to_do_->setAlignment(Qt::AlignCenter);
  what_to_do_->setWordWrap(true);
  what_to_do_->setMargin(16);
  event_pages_ = new QStackedWidget(this);
  event_pages_->addWidget(events_);
  event_pages_->addWidget(what_to_do_);
  return event_pages_;
}

QWidget* EventsPanel::make_segment_list() {
  segments_ = new QTableView(this);
  segments_->setObjectName(QStringLiteral("segments"));
  segments_->setAccessibleName(tr("Segments"));
  segments_->setModel(&session_.findings().segment_rows());
  segments_->setSelectionMode(QAbstractItemView::SingleSelection);
  prepare(segments_, SegmentModel::kName);
  connect(segments_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
    if (!segments_->hasFocus() || !index.isValid()) return;
    session_.seek_pts(session_.findings().segments()[static_cast<std::size_t>(index.row())].pts[0]);
  });
  return segments_;
}

void EventsPanel::make_actions() {
  const auto action = [this](const QString& text, const QKeySequence& key, void (EventsPanel::*what)()) {
    auto* out = new QAction(text, this);
    out->setShortcut(key);
    connect(out, &QAction::triggered, this, what);
    edit_actions_.append(out);
    return out;
  };
  QUndoStack& undo = session_.project().undo_stack();
  QAction* back = undo.createUndoAction(this, tr("&Undo"));
  back->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Z));
  QAction* again = undo.createRedoAction(this, tr("&Redo"));
  again->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z));
  edit_actions_ = {back, again, nullptr};
  add_ = new QAction(tr("&Add an event at the playhead"), this);
  add_->setShortcut(Qt::Key_M);
  connect(add_, &QAction::triggered, this, [this] { session_.project().add_mark(session_.here()); });
  edit_actions_.append(add_);
  rename_ = action(tr("Re&name"), Qt::Key_F2, &EventsPanel::rename);
  split_ = action(tr("&Split at the playhead"), Qt::Key_B, &EventsPanel::split);
  merge_ = action(tr("&Merge"), QKeySequence(Qt::CTRL | Qt::Key_M), &EventsPanel::merge);
  false_ = action(tr("N&ot an event"), Qt::Key_N, &EventsPanel::call_false);
  remove_ = action(tr("&Delete"), QKeySequence::Delete, &EventsPanel::remove);
  for (QTableView* table : {events_, segments_}) table->addActions({rename_, split_, merge_});
  events_->addActions({false_, remove_});
}

bool EventsPanel::segments_shown() const { return tabs_->currentIndex() == 1; }

std::vector<ListedEvent> EventsPanel::selected_events() const {
  std::vector<ListedEvent> out;
  for (const QModelIndex& row : events_->selectionModel()->selectedRows()) out.push_back(filter_.event(row));
  return out;
}

int EventsPanel::segment_row() const {
  const auto rows = segments_->selectionModel()->selectedRows();
  return rows.isEmpty() ? session_.findings().segment_rows().row_at(session_.shown_pts()) : rows.front().row();
}

void EventsPanel::jump_to_event(const QModelIndex& index) {
  if (index.isValid()) session_.seek_pts(filter_.event(index).event.pts);
}

void EventsPanel::rename() {
  if (segments_shown()) {
    const int row = segment_row();
    if (row < 0) return;
    const QModelIndex index = segments_->model()->index(row, SegmentModel::kName);
    segments_->setCurrentIndex(index);
    segments_->edit(index);
  } else if (const QModelIndex row = events_->currentIndex(); row.isValid()) {
    const QModelIndex index = row.siblingAtColumn(EventModel::kKind);
    events_->selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
    events_->edit(index);
  }
}

void EventsPanel::remove() {
  const int row = events_->currentIndex().row();
  session_.project().remove(selected_events());
  choose_near(row);
}

void EventsPanel::call_false() {
  const int row = events_->currentIndex().row();
  session_.project().call_false(selected_events());
  choose_near(row);
}

// The event at that frame becomes the one that is worked on, and no other.
bool EventsPanel::choose(std::int64_t pts, const std::optional<EventKey>& key) {
  EventModel& events = session_.findings().events();
  const auto end = events.rows().end();
  auto at = std::ranges::lower_bound(events.rows(), pts, {}, [](const ListedEvent& one) { return one.event.pts; });
  while (key && at != end && at->event.pts == pts && at->key != *key) ++at;
  if (at == end || at->event.pts != pts) return false;
  const QModelIndex row = filter_.mapFromSource(events.index(static_cast<int>(at - events.rows().begin()), 0));
  if (!row.isValid()) return false;
  choosing_ = true;
  events_->selectRow(row.row());
  choosing_ = false;
  return true;
}

// Rows that are put in anew are the same events to who has chosen one.
void EventsPanel::keep_choice() {
  const auto chosen = selected_events();
  if (!kept_ && chosen.size() == 1) kept_ = chosen.front();
}

void EventsPanel::choose_kept() {
  const auto kept = std::exchange(kept_, std::nullopt);
  if (kept && !choose(kept->event.pts, kept->key)) events_->clearSelection();
}

// Whoever goes from event to event by keys works on the one that is seen.
void EventsPanel::choose_shown() {
  if (session_.playing() || session_.state() == SessionController::State::kAnalyzing) return;
  const auto chosen = selected_events();
  if (chosen.size() > 1 || (chosen.size() == 1 && chosen.front().event.pts == session_.shown_pts())) return;
  choose(session_.shown_pts());
}

// So that the same key goes on with the next one.
void EventsPanel::choose_near(int row) {
  if (const int rows = filter_.rowCount(); rows > 0) events_->selectRow(std::clamp(row, 0, rows - 1));
}

void EventsPanel::merge() {
  if (segments_shown()) {
    merge_segment();
  } else {
    session_.project().merge(selected_events());
  }
}

void EventsPanel::merge_segment() {
  const auto segments = session_.findings().segments();
  const auto row = static_cast<std::size_t>(segment_row());
  if (segment_row() < 0 || row + 1 >= segments.size()) return;
  const SegmentRecord first = segments[row], next = segments[row + 1];
  session_.project().merge_segments(first, next);
}

void EventsPanel::split() {
  Project& project = session_.project();
  if (segments_shown()) {
    const int row = session_.findings().segment_rows().row_at(session_.shown_pts());
    const bool done = row >= 0 && project.split_segment(session_.findings().segments()[static_cast<std::size_t>(row)],
                                                        session_.here());
    if (!done) Q_EMIT session_.noticed(tr("A segment is split at the playhead, which has to be inside of it."));
    return;
  }
  const auto events = selected_events();
  if (events.size() != 1 || !project.split(events.front(), session_.here())) {
    Q_EMIT session_.noticed(
        tr("An event is split at the playhead, which has to be behind the event's frame and before its end."));
  }
}

void EventsPanel::set_thresholds() {
  if (!confidence_->isSliderDown()) gesture_ = session_.project().new_gesture();
  Thresholds out;
  out.least_confidence = static_cast<double>(confidence_->value()) / kMostPercent;
  if (surprise_->value() > surprise_->minimum()) out.surprise = surprise_->value();
  session_.project().set_thresholds(out, gesture_);
}

void EventsPanel::show_kinds() {
  std::set<std::string_view> kinds;
  for (const EventRecord& event : session_.findings().events().events()) kinds.insert(event.kind);
  for (const std::string_view kind : kinds) {
    const QString name = QString::fromStdString(std::string(kind));
    if (kind_->findData(name) >= 0) continue;
    QPixmap colour(10, 10);
    colour.fill(event_colour(std::string(kind)));
    kind_->addItem(colour, name, name);
  }
}

void EventsPanel::show_state() {
  using State = SessionController::State;
  const State state = session_.state();
  const Findings& findings = session_.findings();
  const Thresholds& thresholds = session_.project().edits().choices.thresholds;
  {
    const QSignalBlocker quiet_slider(confidence_), quiet_box(surprise_);
    if (!confidence_->isSliderDown()) confidence_->setValue(qRound(thresholds.least_confidence * kMostPercent));
    surprise_->setValue(thresholds.surprise.value_or(surprise_->minimum()));
  }
  confidence_text_->setText(tr("%1 %").arg(confidence_->value()));

  const int all = session_.findings().events().rowCount();
  QString words;
  if (state == State::kEmpty || state == State::kOpening) {
    words = tr("Open a video with Ctrl+O.");
  } else if (all == 0 && findings.curves().frames() == 0) {
    words = tr("Ctrl+R analyses the video and finds events. M adds one of your own at the playhead.");
  } else if (all == 0 && state == State::kAnalyzing) {
    words = tr("No event yet. M adds one of your own at the playhead.");
  } else if (all == 0) {
    const bool lowest = thresholds.least_confidence == 0 && !thresholds.surprise;
    words = lowest ? tr("No event was found. M adds one of your own at the playhead.")
                   : tr("No event is that sure. Lower thresholds show what is less so.");
  } else if (filter_.rowCount() == 0) {
    words = tr("No event fits the filter.");
  }
  what_to_do_->setText(words);
  event_pages_->setCurrentIndex(words.isEmpty() ? 0 : 1);
  QString count = all == 1 ? tr("1 event") : tr("%L1 events").arg(all);
  constexpr double kEnough_s = 600;  // for a rate to say something
  if (const double seconds = findings.watched_s(); seconds >= kEnough_s)
    count += tr(", %L1 an hour").arg(3600 * all / seconds, 0, 'f', 0);
  if (filter_.hides_some()) count += tr(", %L1 shown").arg(filter_.rowCount());
  count_->setText(count);

  const auto selected = events_->selectionModel()->selectedRows().size();
  const bool is_open = session_.project().is_open(), of_segments = segments_shown();
  add_->setEnabled(is_open);
  rename_->setEnabled(is_open && (of_segments || selected > 0));
  split_->setEnabled(is_open && (of_segments || selected == 1));
  merge_->setEnabled(is_open && (of_segments || selected > 1));
  merge_->setText(of_segments ? tr("&Merge with the next segment") : tr("&Merge"));
  false_->setEnabled(is_open && !of_segments && selected > 0);
  remove_->setEnabled(is_open && !of_segments && selected > 0);
}

}  // namespace longtake
