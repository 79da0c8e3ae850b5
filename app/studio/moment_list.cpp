#include "app/studio/moment_list.h"

#include <QScrollBar>

namespace longtake {

MomentList::MomentList(LandmarkModel& model, Qt::Orientation along, QWidget* parent)
    : QListView(parent), along_(along) {
  const bool side_by_side = along == Qt::Horizontal;
  setModel(&model);
  setIconSize({96, 54});
  if (side_by_side) setViewMode(QListView::IconMode);
  setFlow(side_by_side ? QListView::LeftToRight : QListView::TopToBottom);
  setWrapping(false);
  setMovement(QListView::Static);
  setSpacing(side_by_side ? 2 : 0);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  setHorizontalScrollBarPolicy(side_by_side ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  const auto choose = [this](const QModelIndex& index) {
    if (index.isValid()) Q_EMIT chosen(index.row());
  };
  connect(this, &QListView::clicked, this, choose);
  connect(this, &QListView::activated, this, choose);
  connect(&model, &LandmarkModel::modelReset, this, [this] { updateGeometry(); });
}

// As tall as what is in it.
QSize MomentList::sizeHint() const {
  const int border = 2 * frameWidth();
  const int row = std::max(sizeHintForRow(0), 0);
  if (along_ == Qt::Vertical) return {280, border + row * model()->rowCount()};
  return {280, border + row + 2 * spacing() + horizontalScrollBar()->sizeHint().height()};
}

}  // namespace longtake
