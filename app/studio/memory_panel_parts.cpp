// What the panel is made of, from top to bottom.
#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QListView>
#include <QProgressBar>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/studio/memory_panel.h"
#include "app/studio/moment_list.h"

namespace longtake {
namespace {

QVBoxLayout* column(QWidget* part) {
  auto* out = new QVBoxLayout(part);
  out->setContentsMargins({});
  out->setSpacing(4);
  return out;
}

}  // namespace

// Words that may be read out, selected and copied.
QLabel* MemoryPanel::label(const QString& name) {
  auto* out = new QLabel(this);
  out->setObjectName(name);
  out->setWordWrap(true);
  out->setTextFormat(Qt::PlainText);
  out->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return out;
}

QAbstractButton* MemoryPanel::button(const QString& name, const QString& text, const QString& tip,
                                     void (MemoryPanel::*what)()) {
  auto* out = new QToolButton(this);
  out->setObjectName(name);
  out->setText(text);
  out->setToolTip(tip);
  out->setFocusPolicy(Qt::StrongFocus);
  out->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(out, &QToolButton::clicked, this, what);
  return out;
}

void MemoryPanel::make_parts() {
  auto* content = new QWidget(this);
  QVBoxLayout* parts = column(content);
  parts->setContentsMargins(8, 8, 8, 8);
  parts->setSpacing(10);
  empty_ = label(QStringLiteral("memory_empty"));
  empty_->setText(
      tr("No memory yet. Analyse the open video (Ctrl+R) and it will be here, or drop a memory file (.ltm) on "
         "this panel."));
  parts->addWidget(empty_);
  parts->addWidget(make_memory());
  parts->addWidget(make_question());
  said_ = label(QStringLiteral("memory_said"));
  parts->addWidget(said_);
  parts->addWidget(make_answer());

  parts->addWidget(make_kept());
  parts->addStretch();

  scroll_ = new QScrollArea(this);
  scroll_->setFrameShape(QFrame::NoFrame);
  scroll_->setWidgetResizable(true);
  scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  scroll_->setWidget(content);
  column(this)->addWidget(scroll_);
}

QWidget* MemoryPanel::make_memory() {
  auto* part = new QWidget(this);
  auto* row = new QHBoxLayout(part);
  row->setContentsMargins({});
  row->setSpacing(4);
  which_ = new QComboBox(part);
  which_->setObjectName(QStringLiteral("memory_which"));
  which_->setAccessibleName(tr("Memory at hand"));
  which_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  which_->setMinimumContentsLength(8);
  row->addWidget(which_, 3);
  row->addWidget(
      button(QStringLiteral("memory_load"), tr("Load…"), tr("Load a memory from a file"), &MemoryPanel::choose_memory),
      1);
  return part;
}

QWidget* MemoryPanel::make_question() {
  question_part_ = new QWidget(this);
  QVBoxLayout* parts = column(question_part_);
  auto* words = new QLabel(tr("Have I seen this? Drop a picture or a clip here, or ask about"), question_part_);
  words->setWordWrap(true);
  parts->addWidget(words);
  auto* row = new QHBoxLayout;
  row->setSpacing(4);
  frame_ = button(QStringLiteral("memory_ask_frame"), tr("Frame"), tr("The frame that is shown"),
                  &MemoryPanel::ask_about_shown_frame);
  range_ = button(QStringLiteral("memory_ask_range"), tr("Marked range"), tr("The range between in (I) and out (O)"),
                  &MemoryPanel::ask_about_marked_range);
  file_ = button(QStringLiteral("memory_ask_file"), tr("File…"), tr("A picture or a video"), &MemoryPanel::choose_clip);
  for (QAbstractButton* one : {frame_, range_, file_}) row->addWidget(one);
  parts->addLayout(row);

  waiting_ = new QWidget(question_part_);
  auto* wait = new QHBoxLayout(waiting_);
  wait->setContentsMargins({});
  waiting_words_ = label(QStringLiteral("memory_waiting"));
  wait->addWidget(waiting_words_, 1);
  QAbstractButton* stop =
      button(QStringLiteral("memory_cancel"), tr("Cancel"), tr("Do not wait for the answer"), &MemoryPanel::cancel);
  stop->setSizePolicy(QSizePolicy::Minimum, QSizePolicy::Fixed);
  wait->addWidget(stop);
  parts->addWidget(waiting_);
  return question_part_;
}

QWidget* MemoryPanel::make_answer() {
  answer_part_ = new QWidget(this);
  QVBoxLayout* parts = column(answer_part_);
  about_ = label(QStringLiteral("memory_about"));
  about_->setForegroundRole(QPalette::PlaceholderText);
  parts->addWidget(about_);
  verdict_ = label(QStringLiteral("memory_verdict"));
  QFont large = verdict_->font();
  large.setBold(true);
  large.setPointSizeF(1.2 * large.pointSizeF());
  verdict_->setFont(large);
  parts->addWidget(verdict_);
  familiarity_ = new QProgressBar(answer_part_);
  familiarity_->setObjectName(QStringLiteral("memory_familiarity"));
  familiarity_->setAccessibleName(tr("Familiarity, from 0 to 1"));
  familiarity_->setRange(0, 1000);
  parts->addWidget(familiarity_);
  certainty_ = label(QStringLiteral("memory_certainty"));
  parts->addWidget(certainty_);
  near_ = new MomentList(nearest_, Qt::Vertical, answer_part_);
  near_->setObjectName(QStringLiteral("memory_nearest"));
  near_->setAccessibleName(tr("Moments of the memory that it looks most like"));
  parts->addWidget(near_);

  earlier_ = new QWidget(answer_part_);
  QVBoxLayout* earlier = column(earlier_);
  earlier->addWidget(new QLabel(tr("Answers so far"), earlier_));
  history_ = new QListView(earlier_);
  history_->setObjectName(QStringLiteral("memory_history"));
  history_->setAccessibleName(tr("Answers so far, the last one first"));
  history_->setModel(&memories_.answers());
  history_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  history_->setTextElideMode(Qt::ElideMiddle);
  history_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  history_->setFixedHeight(5 * (fontMetrics().height() + 4));
  earlier->addWidget(history_);
  parts->addWidget(earlier_);
  return answer_part_;
}

QWidget* MemoryPanel::make_kept() {
  kept_part_ = new QWidget(this);
  QVBoxLayout* parts = column(kept_part_);
  facts_ = label(QStringLiteral("memory_facts"));
  parts->addWidget(facts_);
  landmarks_ = new MomentList(memories_.landmarks(), Qt::Horizontal, kept_part_);
  landmarks_->setObjectName(QStringLiteral("memory_landmarks"));
  landmarks_->setAccessibleName(tr("Moments that the memory kept"));
  parts->addWidget(landmarks_);
  start_ = new QCheckBox(tr("Start the next analysis from it"), kept_part_);
  start_->setObjectName(QStringLiteral("memory_start"));
  start_->setToolTip(tr("What it learned stays, and the next video is added to it (analyze --memory)"));
  parts->addWidget(start_);
  auto* row = new QHBoxLayout;
  row->setSpacing(4);
  row->addWidget(
      button(QStringLiteral("memory_save"), tr("Save…"), tr("Save this memory to a file"), &MemoryPanel::choose_place));
  row->addWidget(button(QStringLiteral("memory_compare"), tr("Compare…"), tr("Compare this memory with one in a file"),
                        &MemoryPanel::choose_other_memory));
  parts->addLayout(row);
  compared_ = label(QStringLiteral("memory_compared"));
  parts->addWidget(compared_);
  return kept_part_;
}

}  // namespace longtake
