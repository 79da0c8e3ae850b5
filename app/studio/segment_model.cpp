#include "app/studio/segment_model.h"

#include <QFont>
#include <algorithm>
#include <utility>

#include "app/studio/changed_rows.h"
#include "app/studio/event_model.h"

namespace longtake {

QString segment_title(const SegmentRecord& segment) {
  for (const auto* names : {&segment.labels, &segment.scene}) {
    if (*names && !(*names)->empty()) return QString::fromStdString((*names)->front().name);
  }
  return {};
}

void SegmentModel::set(std::vector<ListedSegment> segments) {
  const auto [first, both, old_last, new_last] = changed_rows(rows_, segments);
  if (both > first) {
    std::move(segments.begin() + first, segments.begin() + both, rows_.begin() + first);
    Q_EMIT dataChanged(index(first, 0), index(both - 1, kColumns - 1));
  }
  if (old_last > both) {
    beginRemoveRows({}, both, old_last - 1);
    rows_.erase(rows_.begin() + both, rows_.begin() + old_last);
    endRemoveRows();
  } else if (new_last > both) {
    beginInsertRows({}, both, new_last - 1);
    rows_.insert(rows_.begin() + both, segments.begin() + both, segments.begin() + new_last);
    endInsertRows();
  }
}

int SegmentModel::row_at(std::int64_t pts) const {
  const auto above =
      std::ranges::upper_bound(rows_, pts, {}, [](const ListedSegment& row) { return row.segment.pts[0]; });
  if (above == rows_.begin() || (above == rows_.end() && pts > rows_.back().segment.pts[1])) return -1;
  return static_cast<int>(above - rows_.begin()) - 1;
}

int SegmentModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}
int SegmentModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant SegmentModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const ListedSegment& row = rows_[static_cast<std::size_t>(index.row())];
  if (role == Qt::TextAlignmentRole && index.column() != kName) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role == Qt::FontRole && index.column() == kName && (row.named || !row.as_found)) {
    QFont font;
    font.setItalic(true);
    return font;
  }
  if (role != Qt::DisplayRole && role != Qt::EditRole) return {};
  switch (index.column()) {
    case kFrom: return clock_text(row.segment.t[0]);
    case kLength: return clock_text(row.segment.t[1] - row.segment.t[0]);
    case kName: return segment_title(row.segment);
    default: return {};
  }
}

bool SegmentModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid) || index.column() != kName || role != Qt::EditRole)
    return false;
  const SegmentRecord segment = rows_[static_cast<std::size_t>(index.row())].segment;
  if (value.toString() != segment_title(segment)) Q_EMIT rename_wanted(segment, value.toString());
  return true;
}

Qt::ItemFlags SegmentModel::flags(const QModelIndex& index) const {
  const Qt::ItemFlags plain = QAbstractTableModel::flags(index);
  return index.isValid() && index.column() == kName ? plain | Qt::ItemIsEditable : plain;
}

QVariant SegmentModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case kFrom: return tr("From");
    case kLength: return tr("Length");
    case kName: return tr("What is there");
    default: return {};
  }
}

}  // namespace longtake
