// The segments that a person sees, as rows in the order of time.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <cstdint>
#include <ranges>
#include <vector>

#include "app/studio/put_together.h"

namespace longtake {

class SegmentModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kFrom, kLength, kName, kColumns };

  using QAbstractTableModel::QAbstractTableModel;

  void set(std::vector<ListedSegment> segments);
  auto segments() const { return std::views::transform(rows_, &ListedSegment::segment); }
  const std::vector<ListedSegment>& rows() const noexcept { return rows_; }
  // The row of the segment that is there, or of the one before a gap; -1: there is none.
  int row_at(std::int64_t pts) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;  // asks for a rename
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 Q_SIGNALS:
  void rename_wanted(const longtake::SegmentRecord& segment, const QString& name);

 private:
  std::vector<ListedSegment> rows_;
};

// Its label, or the scene in view; empty: neither is known.
QString segment_title(const SegmentRecord& segment);

}  // namespace longtake
