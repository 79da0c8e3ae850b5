// The events of a result, as rows.
#pragma once

#include <QAbstractTableModel>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/records/records.h"

namespace longtake {

class EventModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kTime, kKind, kScore, kConfidence, kColumns };
  static constexpr int kSortRole = Qt::UserRole;  // what a column is sorted by

  using QAbstractTableModel::QAbstractTableModel;

  void clear();
  void append(const std::vector<EventRecord>& events);
  const std::vector<EventRecord>& events() const noexcept { return events_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<EventRecord> events_;
};

// 00:12.345, or 1:02:03.456: cut off, as in results.
QString clock_text(double seconds);

}  // namespace longtake
