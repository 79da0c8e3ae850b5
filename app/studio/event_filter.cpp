#include "app/studio/event_filter.h"

namespace longtake {

EventFilter::EventFilter(EventModel& events) : events_(events) {
  setSourceModel(&events);
  setDynamicSortFilter(true);
}

void EventFilter::set_text(const QString& text) {
  text_ = text;
  invalidateFilter();
}

void EventFilter::set_kind(const QString& kind) {
  kind_ = kind.toStdString();
  invalidateFilter();
}

void EventFilter::set_least_score(double score) {
  least_score_ = score;
  invalidateFilter();
}

const ListedEvent& EventFilter::event(const QModelIndex& index) const {
  return events_.rows()[static_cast<std::size_t>(mapToSource(index).row())];
}

bool EventFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  if (parent.isValid()) return false;
  const NamedEvent& event = events_.rows()[static_cast<std::size_t>(row)].event;
  if (!kind_.empty() && event.kind != kind_) return false;
  // A mark has no score: nobody measured it.
  if (event.kind != kMarkKind && event.score < least_score_) return false;
  return text_.isEmpty() || event_title(event).contains(text_, Qt::CaseInsensitive) ||
         QString::fromStdString(event.kind).contains(text_, Qt::CaseInsensitive);
}

bool EventFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const NamedEvent& a = events_.rows()[static_cast<std::size_t>(left.row())].event;
  const NamedEvent& b = events_.rows()[static_cast<std::size_t>(right.row())].event;
  switch (left.column()) {
    case EventModel::kKind: return event_title(a).localeAwareCompare(event_title(b)) < 0;
    case EventModel::kScore: return a.score < b.score;
    case EventModel::kConfidence: return a.confidence < b.confidence;
    default: return a.pts < b.pts;
  }
}

}  // namespace longtake
