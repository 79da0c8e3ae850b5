#include "app/studio/video_panel.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>
#include <vector>

#include "app/studio/own_keys.h"

namespace longtake {

VideoPanel::VideoPanel(VideoList& videos, QWidget* parent) : QWidget(parent), videos_(videos) {
  table_ = new QTableView(this);
  table_->setModel(&videos_);
  table_->setObjectName(QStringLiteral("videos"));
  table_->setAccessibleName(tr("Videos"));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setSectionResizeMode(VideoList::kName, QHeaderView::Stretch);
  keep_keys(*table_, moving_keys());
  keep_keys(*table_, {Qt::Key_Return, Qt::Key_Enter, Qt::Key_Delete});
  connect(table_, &QTableView::activated, this, [this](const QModelIndex& index) {
    Q_EMIT open_wanted(QString::fromLocal8Bit(videos_.entry(index.row()).path));
  });

  empty_ = new QLabel(this);
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignCenter);
  sum_ = new QLabel(this);
  sum_->setWordWrap(true);
  watch_ = new QPushButton(tr("&Analyse all"), this);
  pause_ = new QPushButton(tr("&Pause"), this);
  retry_ = new QPushButton(tr("&Retry failed"), this);
  connect(watch_, &QPushButton::clicked, this, [this] { videos_.watch(VideoWork::What::kWatch); });
  connect(pause_, &QPushButton::clicked, this, [this] { videos_.pause(); });
  connect(retry_, &QPushButton::clicked, this, [this] { videos_.watch(VideoWork::What::kRetry); });

  auto* column = new QVBoxLayout(this);
  column->addWidget(empty_, 1);
  column->addWidget(table_, 1);
  column->addWidget(sum_);
  auto* buttons = new QHBoxLayout;
  for (QPushButton* one : {watch_, pause_, retry_}) buttons->addWidget(one);
  column->addLayout(buttons);

  connect(&videos_, &VideoList::changed, this, &VideoPanel::say_state);
  connect(&videos_, &VideoList::modelReset, this, &VideoPanel::say_state);
  say_state();
}

void VideoPanel::set_free(bool free) {
  free_ = free;
  say_state();
}

void VideoPanel::say_state() {
  const int all = videos_.rowCount(), done = videos_.count(VideoState::kDone),
            failed = videos_.count(VideoState::kFailed);
  empty_->setVisible(all == 0);
  empty_->setText(videos_.busy()
                      ? tr("Looking for videos…")
                      : tr("Open several videos, or a folder, to have them here.\nEnter opens one; all of them can be "
                           "analysed in one go."));
  table_->setVisible(all > 0);
  sum_->setVisible(all > 0);
  sum_->setText(failed > 0 ? tr("%1 of %2 analysed, %3 failed").arg(done).arg(all).arg(failed)
                           : tr("%1 of %2 analysed").arg(done).arg(all));
  watch_->setEnabled(free_ && !videos_.busy() && all > done + failed + videos_.count(VideoState::kNoVideo));
  pause_->setEnabled(videos_.watching());
  retry_->setEnabled(free_ && !videos_.busy() && failed > 0);
}

void VideoPanel::keyPressEvent(QKeyEvent* event) {
  if (event->key() != Qt::Key_Delete) return QWidget::keyPressEvent(event);
  std::vector<int> rows;
  for (const QModelIndex& one : table_->selectionModel()->selectedRows()) rows.push_back(one.row());
  videos_.remove(rows);
}

}  // namespace longtake
