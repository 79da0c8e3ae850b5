#include "app/studio/memory_panel.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QImage>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QMimeData>
#include <QProgressBar>
#include <QRegularExpression>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QTimer>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/studio/moment_list.h"
#include "app/studio/own_keys.h"

namespace longtake {
namespace {

// A frame as --from and --to take it.
std::string point(std::int64_t pts) { return fmt::format("@{}", pts); }

// Long names of files may go on in the next line.
QString breakable(QString text) {
  static const QRegularExpression kAfter(QStringLiteral("([_.\\-/])"));
  return text.replace(kAfter, QStringLiteral("\\1\u200b"));
}

QString memory_filter() { return MemoryPanel::tr("Memories (*.ltm)"); }

}  // namespace

MemoryPanel::MemoryPanel(SessionController& session, QWidget* parent)
    : QWidget(parent), session_(session), memories_(session.memories()) {
  setObjectName(QStringLiteral("memory"));
  setAccessibleName(tr("Memory"));
  setAcceptDrops(true);
  setFocusPolicy(Qt::ClickFocus);
  make_parts();
  for (auto* button : findChildren<QAbstractButton*>()) keep_keys(*button, pressing_keys());
  std::vector<QWidget*> lists{which_};
  std::ranges::copy(findChildren<QListView*>(), std::back_inserter(lists));
  for (QWidget* list : lists) {
    keep_keys(*list, pressing_keys());
    keep_keys(*list, moving_keys());
    keep_keys(*list, {Qt::Key_Left, Qt::Key_Right});
  }

  connect(&memories_, &MemoryController::memory_changed, this, &MemoryPanel::say_memory);
  connect(&memories_, &MemoryController::questions_changed, this, &MemoryPanel::say_questions);
  connect(&memories_, &MemoryController::compared, this, [this] {
    say_comparison();
    QTimer::singleShot(0, compared_, [this] { scroll_->ensureWidgetVisible(compared_, 0, 8); });
  });
  connect(&memories_, &MemoryController::failed, this, &MemoryPanel::say);
  connect(&memories_, &MemoryController::saved, this,
          [this](const QString& file) { say(tr("Saved as %1").arg(file)); });
  connect(&memories_, &MemoryController::answered, this, [this] {
    history_->setCurrentIndex(memories_.answers().index(0));
    // Into view, once it has its place.
    QTimer::singleShot(0, certainty_, [this] { scroll_->ensureWidgetVisible(certainty_, 0, 8); });
  });
  connect(history_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          [this](const QModelIndex& now) { say_answer(now.row()); });
  connect(which_, &QComboBox::activated, this,
          [this](int row) { memories_.use(static_cast<MemoryController::Place>(which_->itemData(row).toInt())); });
  connect(start_, &QCheckBox::toggled, &memories_, &MemoryController::set_starts_analysis);
  connect(landmarks_, &MomentList::chosen, this, [this](int row) {
    if (const auto memory = memories_.at_hand()) go_to(*memory, memories_.landmarks().landmark(row));
  });
  connect(near_, &MomentList::chosen, this, [this](int row) { go_to(*answered_by_, nearest_.landmark(row)); });
  connect(&session_, &SessionController::state_changed, this, &MemoryPanel::say_what_can_be_asked);
  connect(&session_, &SessionController::image_changed, this, &MemoryPanel::say_what_can_be_asked);
  connect(&session_.axis(), &TimeAxis::marks_changed, this, &MemoryPanel::say_what_can_be_asked);
  say({});
  say_memory();
  say_questions();
  say_answer(-1);
}

void MemoryPanel::take_file(const QString& file) {
  say({});
  if (file.endsWith(QStringLiteral(".ltm"), Qt::CaseInsensitive)) {
    memories_.load(file);
  } else {
    memories_.ask({file.toStdString(), {}, {}}, QFileInfo(file).fileName());
  }
}

void MemoryPanel::ask_about_shown_frame() {
  say({});
  const std::int64_t pts = session_.shown_pts();
  memories_.ask({session_.uri().toStdString(), point(pts), point(pts + 1)},
                tr("Frame at %1 of %2")
                    .arg(clock_text(session_.axis().playhead()), QString::fromStdString(session_.info().source)));
}

void MemoryPanel::ask_about_marked_range() {
  say({});
  const TimeAxis& axis = session_.axis();
  const Rational tick = session_.info().time_base;
  const auto at = [&](double t, int more) {
    const double pts = t * static_cast<double>(tick.den) / static_cast<double>(tick.num);
    return point(std::llround(pts) + more);
  };
  // The frame at the out point belongs to it.
  memories_.ask({session_.uri().toStdString(), axis.in() ? at(*axis.in(), 0) : std::string(),
                 axis.out() ? at(*axis.out(), 1) : std::string()},
                tr("%1 to %2 of %3")
                    .arg(clock_text(axis.in().value_or(axis.begin())), clock_text(axis.out().value_or(axis.end())),
                         QString::fromStdString(session_.info().source)));
}

void MemoryPanel::choose_memory() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Load a memory"), {}, memory_filter());
  if (!file.isEmpty()) take_file(file);
}

void MemoryPanel::choose_place() {
  QString file = QFileDialog::getSaveFileName(this, tr("Save the memory"), {}, memory_filter());
  if (file.isEmpty()) return;
  if (QFileInfo(file).suffix().isEmpty()) file += QStringLiteral(".ltm");
  say({});
  memories_.save(file);
}

void MemoryPanel::choose_clip() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Ask about a picture or a video"));
  if (!file.isEmpty()) take_file(file);
}

void MemoryPanel::choose_other_memory() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Compare with a memory"), {}, memory_filter());
  if (file.isEmpty()) return;
  say({});
  memories_.compare_with(file);
}

void MemoryPanel::cancel() { memories_.cancel(); }

bool MemoryPanel::take(const QMimeData& given) {
  if (given.hasUrls()) {
    const QList<QUrl> urls = given.urls();
    for (const QUrl& url : urls) take_file(url.isLocalFile() ? url.toLocalFile() : url.toString());
    return !urls.isEmpty();
  }
  const QImage image = qvariant_cast<QImage>(given.imageData());
  if (image.isNull()) return false;
  // As many files as questions may wait.
  const auto kept = static_cast<int>(MemoryAsker::kMostWaiting) + 1;
  const QString file = pasted_.filePath(QStringLiteral("picture%1.png").arg(pastes_++ % kept));
  if (!image.save(file)) {
    say(tr("Cannot keep the picture in \"%1\"").arg(pasted_.path()));
    return true;
  }
  say({});
  memories_.ask({file.toStdString(), {}, {}}, tr("Picture"));
  return true;
}

void MemoryPanel::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() || event->mimeData()->hasImage()) event->acceptProposedAction();
}

void MemoryPanel::dropEvent(QDropEvent* event) {
  if (take(*event->mimeData())) event->acceptProposedAction();
}

void MemoryPanel::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Paste) && take(*QApplication::clipboard()->mimeData())) return;
  QWidget::keyPressEvent(event);
}

// The memory of the open video's analysis has a file, but not one that a person named.
QString MemoryPanel::name_of(const MemoryFacts& memory) const {
  const auto learned = memories_.facts(MemoryController::kLearned);
  if (learned && learned->file == memory.file) {
    return tr("the memory of %1").arg(QString::fromStdString(memory.label.source));
  }
  return QString::fromStdString(memory.file.filename().string());
}

void MemoryPanel::say_memory() {
  const auto memory = memories_.at_hand();
  empty_->setVisible(!memory);
  kept_part_->setVisible(memory != nullptr);
  which_->setVisible(memory != nullptr);
  const QSignalBlocker quiet(start_);
  start_->setChecked(memories_.starts_analysis());
  which_->clear();
  for (const auto place : {MemoryController::kLearned, MemoryController::kLoaded}) {
    const auto one = memories_.facts(place);
    if (!one) continue;
    const bool learned = place == MemoryController::kLearned;
    which_->addItem(learned ? tr("Learned from %1").arg(QString::fromStdString(one->label.source)) : name_of(*one),
                    place);
    if (place == memories_.place()) which_->setCurrentIndex(which_->count() - 1);
  }
  if (memory) {
    facts_->setText((memory->label.videos == 1 ? tr("1 video") : tr("%L1 videos").arg(memory->label.videos)) +
                    tr(", %L1 frames, %2 of video in %3 MB. It kept %L4 moments:")
                        .arg(memory->frames)
                        .arg(QString::fromStdString(clock_time(memory->watched_s)))
                        .arg(static_cast<double>(memory->bytes) / 1e6, 0, 'f', 1)
                        .arg(memory->landmarks.size()));
    facts_->setToolTip(QString::fromStdString(memory->file.string()));
  }
  say_what_can_be_asked();
  say_comparison();
}

void MemoryPanel::say_what_can_be_asked() {
  const bool memory = memories_.at_hand() != nullptr;
  const bool video = !session_.image().isNull();
  frame_->setEnabled(memory && video);
  range_->setEnabled(memory && video && (session_.axis().in() || session_.axis().out()));
  question_part_->setVisible(memory);
}

void MemoryPanel::say_questions() {
  waiting_->setVisible(memories_.questions() > 0);
  waiting_words_->setText(memories_.questions() == 1 ? tr("Looking …")
                                                     : tr("Looking, %1 questions wait …").arg(memories_.questions()));
}

void MemoryPanel::say_answer(int row) {
  const bool any = row >= 0;
  answer_part_->setVisible(any);
  if (!any) return;
  const AskedMemory& asked = memories_.answers().answer(row);
  about_->setText(breakable(tr("%1, asked of %2").arg(asked.about, name_of(*asked.said.memory))));
  verdict_->setText(breakable(AnswerModel::verdict(asked.said)));
  certainty_->setText(AnswerModel::certainty(asked.said));
  familiarity_->setValue(static_cast<int>(std::lround(1000 * asked.said.answer.familiarity)));
  familiarity_->setFormat(tr("Familiarity %1").arg(asked.said.answer.familiarity, 0, 'f', 2));
  answered_by_ = asked.said.memory;
  nearest_.show_nearest(answered_by_, asked.said.answer.nearest);
  near_->setVisible(nearest_.rowCount() > 0);
  earlier_->setVisible(memories_.answers().rowCount() > 1);
}

void MemoryPanel::say_comparison() {
  const auto& said = memories_.comparison();
  compared_->setVisible(said.has_value());
  if (!said) return;
  const auto known = [this](const MemoryFacts& knower, const MemoryFacts& other, const Acquaintance& what) {
    const QString of = what.known == 0                ? tr("none of the %1 moments").arg(what.landmarks)
                       : what.known == what.landmarks ? tr("all %1 moments").arg(what.landmarks)
                                                      : tr("%1 of the %2 moments").arg(what.known).arg(what.landmarks);
    return tr("%1 knows %2 of %3 (mean familiarity %4).")
        .arg(name_of(knower), of, name_of(other))
        .arg(what.familiarity, 0, 'f', 2);
  };
  compared_->setText(
      breakable(known(*said->a, *said->b, said->a_knows_b) + QLatin1Char('\n') +
                known(*said->b, *said->a, said->b_knows_a)) +
      QLatin1Char('\n') +
      tr("What they learned is %1 apart (0: the same, 1.414: nothing in common).").arg(said->distance, 0, 'f', 3));
}

void MemoryPanel::say(const QString& sentence) {
  said_->setText(breakable(sentence));
  said_->setVisible(!sentence.isEmpty());
}

void MemoryPanel::go_to(const MemoryFacts& memory, const Remembered& one) {
  if (memories_.in_open_video(memory, one)) {
    say({});
    session_.seek_to(one);
  } else {
    say(tr("That is at %1 of %2, which is not open.").arg(clock_text(one.t), QString::fromStdString(one.source)));
  }
}

}  // namespace longtake
