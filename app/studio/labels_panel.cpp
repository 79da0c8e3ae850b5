#include "app/studio/labels_panel.h"

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QAction>
#include <QApplication>
#include <QCompleter>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QStringListModel>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <set>

#include "app/studio/own_keys.h"
#include "models/labels/label_set.h"

namespace longtake {

LabelsPanel::LabelsPanel(SessionController& session, QWidget* parent) : QWidget(parent), session_(session) {
  name_ = new QLineEdit(this);
  name_->setObjectName(QStringLiteral("label_name"));
  name_->setPlaceholderText(tr("The marked stretch (I, O) is …"));
  name_->setAccessibleName(tr("Name of the marked stretch"));
  known_ = new QStringListModel(this);
  auto* completer = new QCompleter(known_, this);
  completer->setCaseSensitivity(Qt::CaseInsensitive);
  name_->setCompleter(completer);
  examples_ = new QTableWidget(0, 3, this);
  examples_->setObjectName(QStringLiteral("examples"));
  examples_->setAccessibleName(tr("Stretches that were named"));
  examples_->setHorizontalHeaderLabels({tr("Key"), tr("Name"), tr("Stretch")});
  examples_->setSelectionBehavior(QAbstractItemView::SelectRows);
  examples_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  examples_->setTabKeyNavigation(false);
  examples_->setShowGrid(false);
  examples_->verticalHeader()->hide();
  examples_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  examples_->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
  told_ = new QLabel(this);
  told_->setObjectName(QStringLiteral("labels_told"));
  told_->setWordWrap(true);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(4, 4, 4, 4);
  all->addWidget(name_);
  all->addWidget(examples_, 1);
  all->addWidget(told_);

  ask_ = new QAction(tr("&Label the marked stretch…"), this);
  ask_->setShortcuts({Qt::Key_Return, Qt::Key_Enter});
  connect(ask_, &QAction::triggered, this, &LabelsPanel::ask);
  // Where Enter ends an input or presses a button, it does that.
  connect(qApp, &QApplication::focusChanged, ask_, [this](QWidget*, QWidget* now) {
    ask_->setEnabled(!qobject_cast<QLineEdit*>(now) && !qobject_cast<QAbstractSpinBox*>(now) &&
                     !qobject_cast<QAbstractButton*>(now));
  });
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    keys_[i] = new QAction(this);
    keys_[i]->setShortcut(QKeySequence(Qt::Key_1 + static_cast<int>(i)));
    connect(keys_[i], &QAction::triggered, this,
            [this, i] { label_marked(QString::fromStdString(session_.project().edits().choices.keys[i])); });
  }
  auto* remove = new QAction(tr("Forget this example"), examples_);
  connect(remove, &QAction::triggered, this, &LabelsPanel::remove_chosen);
  examples_->addAction(remove);
  keep_keys(*examples_, moving_keys());
  keep_keys(*examples_, {Qt::Key_Delete});
  keep_keys(*name_, {Qt::Key_Escape});
  examples_->setContextMenuPolicy(Qt::ActionsContextMenu);

  connect(name_, &QLineEdit::returnPressed, this, &LabelsPanel::take_name);
  connect(examples_, &QTableWidget::cellClicked, this, [this](int row) {
    const auto& labels = session_.project().edits().choices.labels;
    session_.seek(labels[static_cast<std::size_t>(row)].from_s);
  });
  connect(&session_.project(), &Project::changed, this, &LabelsPanel::show_labels);
  connect(&session_, &SessionController::labelled_changed, this, &LabelsPanel::show_told);
  show_labels();
}

void LabelsPanel::ask() {
  const TimeAxis& axis = session_.axis();
  if (!axis.in() || !axis.out()) {
    Q_EMIT session_.noticed(tr("Mark a stretch first, with I at its first frame and O at its last."));
    return;
  }
  for (QWidget* one = this; one != nullptr; one = one->parentWidget()) one->raise();
  show();
  name_->setFocus(Qt::ShortcutFocusReason);
  name_->selectAll();
}

void LabelsPanel::take_name() {
  const QString name = name_->text().simplified();
  name_->clear();
  if (!name.isEmpty()) label_marked(name);
  Q_EMIT finished();
}

void LabelsPanel::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    name_->clear();
    Q_EMIT finished();
  } else if (event->key() == Qt::Key_Delete && examples_->hasFocus()) {
    remove_chosen();
  } else {
    QWidget::keyPressEvent(event);
  }
}

// From the first marked frame to the last, which belongs to it.
void LabelsPanel::label_marked(const QString& name) {
  const TimeAxis& axis = session_.axis();
  if (name.isEmpty()) return;
  if (auto fits = check_label_name(name.toStdString()); !fits) {
    Q_EMIT session_.noticed(QString::fromStdString(fits.error().message));
    return;
  }
  if (!axis.in() || !axis.out()) {
    ask();  // says what is missing
    return;
  }
  constexpr double kBehindTheLast_s = 0.001;
  session_.project().add_label({name.toStdString(), *axis.in(), *axis.out() + kBehindTheLast_s});
}

void LabelsPanel::remove_chosen() {
  if (examples_->currentRow() >= 0) session_.project().remove_label(static_cast<std::size_t>(examples_->currentRow()));
}

void LabelsPanel::show_labels() {
  const Choices& choices = session_.project().edits().choices;
  QStringList names;
  examples_->setRowCount(static_cast<int>(choices.labels.size()));
  for (int row = 0; row < examples_->rowCount(); ++row) {
    const RangeLabel& label = choices.labels[static_cast<std::size_t>(row)];
    const auto key = std::ranges::find(choices.keys, label.name);
    const QString name = QString::fromStdString(label.name);
    if (!names.contains(name)) names.append(name);
    const QString texts[] = {key == choices.keys.end() ? QString() : QString::number(key - choices.keys.begin() + 1),
                             name, tr("%1 – %2").arg(clock_text(label.from_s), clock_text(label.to_s))};
    for (int column = 0; column < 3; ++column) examples_->setItem(row, column, new QTableWidgetItem(texts[column]));
  }
  known_->setStringList(names);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const QString name = QString::fromStdString(choices.keys[i]);
    keys_[i]->setText(name.isEmpty() ? tr("(no name)") : name);
    keys_[i]->setEnabled(!name.isEmpty());
  }
  show_told();
}

void LabelsPanel::show_told() {
  const Labeller::Told& told = session_.labelled();
  const std::size_t labels = session_.project().edits().choices.labels.size();
  if (labels == 0) {
    told_->setText(
        tr("Mark a stretch with I and O, press Enter and say what it is. From a few stretches Longtake learns to name "
           "the segments that are like them."));
  } else if (!told.problem.empty()) {
    told_->setText(QString::fromStdString(told.problem));
  } else if (told.examples != labels) {
    told_->setText(tr("Looking at what was named …"));
  } else {
    const QString text = told.complete ? tr("Learned in %1 s; the video was looked through at %L2 moments.")
                                       : tr("Learned in %1 s; looking through the video: %L2 moments so far.");
    QString said = text.arg(told.learned_s, 0, 'f', 2).arg(told.moments.t.size());
    if (told.moments.names.size() == 2)  // the name and "unknown"
      said += QLatin1Char(' ') + tr("There is only one name: what looks much alike gets it. Name something else, too, "
                                    "and the two are told apart.");
    told_->setText(said);
  }
}

}  // namespace longtake
