#include "app/studio/event_model.h"

#include <cmath>

namespace longtake {

QString clock_text(double seconds) {
  const auto thousandths = static_cast<qint64>(std::floor(std::abs(seconds) * 1000 + 1e-6));
  const qint64 minutes = thousandths / 60'000;
  const QString rest = QStringLiteral("%1:%2.%3")
                           .arg(minutes % 60, 2, 10, QLatin1Char('0'))
                           .arg(thousandths / 1000 % 60, 2, 10, QLatin1Char('0'))
                           .arg(thousandths % 1000, 3, 10, QLatin1Char('0'));
  return (seconds < 0 ? QStringLiteral("-") : QString()) +
         (minutes >= 60 ? QStringLiteral("%1:%2").arg(minutes / 60).arg(rest) : rest);
}

void EventModel::clear() {
  beginResetModel();
  events_.clear();
  endResetModel();
}

void EventModel::append(const std::vector<EventRecord>& events) {
  if (events.empty()) return;
  const auto first = static_cast<int>(events_.size());
  beginInsertRows({}, first, first + static_cast<int>(events.size()) - 1);
  events_.insert(events_.end(), events.begin(), events.end());
  endInsertRows();
}

int EventModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(events_.size());
}
int EventModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant EventModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const EventRecord& event = events_[static_cast<std::size_t>(index.row())];
  if (role == Qt::TextAlignmentRole && index.column() != kKind) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != kSortRole) return {};
  const bool text = role == Qt::DisplayRole;
  switch (index.column()) {
    case kTime: return text ? QVariant(clock_text(event.t)) : QVariant(event.t);
    case kKind: return QString::fromStdString(event.kind);
    case kScore: return text ? QVariant(QString::number(event.score, 'f', 2)) : QVariant(event.score);
    case kConfidence:
      return text ? QVariant(QStringLiteral("%1 %").arg(100 * event.confidence, 0, 'f', 0))
                  : QVariant(event.confidence);
    default: return {};
  }
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case kTime: return tr("Time");
    case kKind: return tr("Event");
    case kScore: return tr("Score");
    case kConfidence: return tr("Sure");
    default: return {};
  }
}

}  // namespace longtake
