#include "app/studio/layer_table.h"

#include <QHeaderView>
#include <QLabel>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/own_keys.h"
#include "app/studio/samples.h"

namespace longtake {

LayerTable::LayerTable(const Findings& findings, const TimeAxis& axis, LayerModel& layers, QWidget* parent)
    : QWidget(parent), findings_(findings), layers_(layers), moment_(new QLabel(this)), table_(new QTableView(this)) {
  moment_->setContentsMargins(6, 2, 6, 2);
  table_->setModel(&layers);
  table_->setObjectName(QStringLiteral("layers"));
  table_->setAccessibleName(tr("Layers"));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setShowGrid(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  table_->horizontalHeader()->setMinimumSectionSize(fontMetrics().horizontalAdvance(QStringLiteral("00.0000")));
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  table_->horizontalHeader()->setSectionResizeMode(LayerModel::kLayer, QHeaderView::ResizeToContents);
  keep_keys(*table_, {Qt::Key_Space});  // it ticks a box here; elsewhere in the window it plays
  auto* rows = new QVBoxLayout(this);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(0);
  rows->addWidget(moment_);
  rows->addWidget(table_, 1);
  connect(&axis, &TimeAxis::hover_changed, this, &LayerTable::say_moment);
  connect(&axis, &TimeAxis::playhead_changed, this, &LayerTable::say_moment);
  connect(&findings_, &Findings::changed, this, &LayerTable::say_moment);
  say_moment();
}

void LayerTable::say_moment() {
  const auto sample = sample_at(findings_, layers_.moment());
  if (!sample) {
    moment_->setText(tr("%1: not watched").arg(clock_text(layers_.moment())));
    return;
  }
  QString words = tr("%1, frame %L2").arg(clock_text(sample->t)).arg(static_cast<qint64>(sample->first));
  const std::int64_t of = findings_.curves().surprise().stride();
  if (of > 1) words += tr(", mean of %L1 frames").arg(of);
  moment_->setText(words);
}

}  // namespace longtake
