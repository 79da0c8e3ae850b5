#include "app/studio/event_model.h"

#include <QFont>
#include <algorithm>
#include <cmath>
#include <utility>

#include "app/studio/changed_rows.h"
#include "app/studio/colours.h"

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

QString event_title(const NamedEvent& event) { return QString::fromStdString(event.name.value_or(event.kind)); }

void EventModel::set(std::vector<ListedEvent> events) {
  const auto [first, both, old_last, new_last] = changed_rows(rows_, events);
  if (old_last > first || new_last > first) Q_EMIT about_to_change();
  if (both > first) {
    std::move(events.begin() + first, events.begin() + both, rows_.begin() + first);
    Q_EMIT dataChanged(index(first, 0), index(both - 1, kColumns - 1));
  }
  if (old_last > both) {
    beginRemoveRows({}, both, old_last - 1);
    rows_.erase(rows_.begin() + both, rows_.begin() + old_last);
    endRemoveRows();
  } else if (new_last > both) {
    beginInsertRows({}, both, new_last - 1);
    rows_.insert(rows_.begin() + both, events.begin() + both, events.begin() + new_last);
    endInsertRows();
  }
}

int EventModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}
int EventModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant EventModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const ListedEvent& row = rows_[static_cast<std::size_t>(index.row())];
  const NamedEvent& event = row.event;
  if (index.column() == kKind) {
    if (role == Qt::DisplayRole || role == kSortRole || role == Qt::EditRole) return event_title(event);
    if (role == Qt::DecorationRole) return event_colour(event.kind);
    if (role == Qt::ToolTipRole && event.name) return QString::fromStdString(event.kind);
    if (role == Qt::FontRole && row.edited) {
      QFont font;
      font.setItalic(true);
      return font;
    }
    return {};
  }
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != kSortRole) return {};
  const bool text = role == Qt::DisplayRole;
  if (text && event.kind == kMarkKind && index.column() != kTime) return QStringLiteral("–");  // nobody measured it
  switch (index.column()) {
    case kTime: return text ? QVariant(clock_text(event.t)) : QVariant(event.t);
    case kScore: return text ? QVariant(QString::number(event.score, 'f', 2)) : QVariant(event.score);
    case kConfidence:
      return text ? QVariant(QStringLiteral("%1 %").arg(100 * event.confidence, 0, 'f', 0))
                  : QVariant(event.confidence);
    default: return {};
  }
}

bool EventModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid) || index.column() != kKind || role != Qt::EditRole)
    return false;
  const ListedEvent event = rows_[static_cast<std::size_t>(index.row())];
  QString name = value.toString().simplified();
  if (name == event_title(event.event)) return true;
  if (name == QString::fromStdString(event.event.kind)) name.clear();
  Q_EMIT rename_wanted(event, name);
  return true;
}

Qt::ItemFlags EventModel::flags(const QModelIndex& index) const {
  const Qt::ItemFlags plain = QAbstractTableModel::flags(index);
  return index.isValid() && index.column() == kKind ? plain | Qt::ItemIsEditable : plain;
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::ToolTipRole) {
    switch (section) {
      case kTime: return tr("Where in the video it is");
      case kKind:
        return tr(
            "What happened: a change of shot, something new, something known that came back, a fault of the picture");
      case kScore: return tr("How much it stands out from what was before. Only events of one kind compare.");
      case kConfidence: return tr("How likely it is that it is there");
      default: return {};
    }
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case kTime: return tr("Time");
    case kKind: return tr("Event");
    case kScore: return tr("Score");
    case kConfidence: return tr("Sure");
    default: return {};
  }
}

}  // namespace longtake
