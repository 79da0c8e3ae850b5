// The rows of the event list that a person wants to see now. Hides only from this list; thresholds hide from everything.
#pragma once

#include <QSortFilterProxyModel>
#include <QString>

#include "app/studio/event_model.h"

namespace longtake {

class EventFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit EventFilter(EventModel& events);

  void set_text(const QString& text);  // in the name or kind
  void set_kind(const QString& kind);  // empty: all
  void set_least_score(double score);
  bool hides_some() const { return rowCount() < events_.rowCount(); }
  const ListedEvent& event(const QModelIndex& index) const;

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
  // By the records themselves: a list of a hundred thousand events is sorted while a threshold is dragged.
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  const EventModel& events_;
  QString text_;
  std::string kind_;
  double least_score_ = 0;
};

}  // namespace longtake
