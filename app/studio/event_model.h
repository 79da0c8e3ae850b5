// The events that a person sees, as rows in the order of time.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <ranges>
#include <vector>

#include "app/studio/put_together.h"

namespace longtake {

class EventModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kTime, kKind, kScore, kConfidence, kColumns };
  static constexpr int kSortRole = Qt::UserRole;  // what a column is sorted by

  using QAbstractTableModel::QAbstractTableModel;

  // Rows that stay the same stay, with what is selected of them: only what lies between the first and the last difference
  // is put in anew.
  void set(std::vector<ListedEvent> events);
  auto events() const { return std::views::transform(rows_, &ListedEvent::event); }
  const std::vector<ListedEvent>& rows() const noexcept { return rows_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;  // asks for a rename
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 Q_SIGNALS:
  void about_to_change();
  void rename_wanted(const longtake::ListedEvent& event, const QString& name);

 private:
  std::vector<ListedEvent> rows_;
};

// As people know it: its name, or its kind.
QString event_title(const NamedEvent& event);
// 00:12.345, or 1:02:03.456: cut off, as in results.
QString clock_text(double seconds);

}  // namespace longtake
