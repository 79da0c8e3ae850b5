#include "app/studio/answer_model.h"

#include <cmath>
#include <utility>

namespace longtake {

void AnswerModel::add(AskedMemory answer) {
  if (rowCount() == kMost) {
    beginRemoveRows({}, kMost - 1, kMost - 1);
    answers_.pop_back();
    endRemoveRows();
  }
  beginInsertRows({}, 0, 0);
  answers_.push_front(std::move(answer));
  endInsertRows();
}

int AnswerModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(answers_.size());
}

QVariant AnswerModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const AskedMemory& one = answer(index.row());
  const QString memory = QString::fromStdString(one.said.memory->file.filename().string());
  if (role == Qt::DisplayRole) {
    return tr("%1: %2 (%3)").arg(one.about, verdict(one.said)).arg(one.said.answer.familiarity, 0, 'f', 2);
  }
  if (role == Qt::ToolTipRole) return tr("%1\n%2\n%3").arg(one.about, verdict(one.said), tr("asked of %1").arg(memory));
  return {};
}

QString AnswerModel::verdict(const MemoryAnswer& said) {
  const Answer& answer = said.answer;
  if (answer.seen_seconds == 0) return tr("Not seen");
  const auto clock = [](double seconds) { return QString::fromStdString(clock_time(seconds)); };
  QString where;
  if (!answer.nearest.empty()) {
    const Remembered& one = said.memory->landmarks.at(static_cast<std::size_t>(answer.nearest.front().which));
    where = tr("at about %1 in %2").arg(clock(one.t), QString::fromStdString(one.source));
  }
  if (answer.familiarity >= 0.5) return where.isEmpty() ? tr("Seen") : tr("Seen, %1").arg(where);
  const QString part = tr("Not seen, but for %1 of %2 seconds, between %3 and %4 of it")
                           .arg(answer.seen_seconds)
                           .arg(answer.seconds)
                           .arg(clock(answer.seen_from), clock(answer.seen_to));
  return where.isEmpty() ? part : tr("%1: %2").arg(part, where);
}

QString AnswerModel::certainty(const MemoryAnswer& said) {
  const Answer& answer = said.answer;
  QString out = tr("%1 % sure.").arg(100 * answer.confidence, 0, 'f', 0);
  if (std::isfinite(answer.percentile)) {
    out += QLatin1Char(' ') + tr("More familiar than %1 % of other videos.").arg(answer.percentile, 0, 'f', 0);
  }
  if (!said.memory->calibrated) {
    out += QLatin1Char(' ') + tr("This model's familiarity is not calibrated: it ranks, but 0.80 does not mean 80 %.");
  }
  return out;
}

}  // namespace longtake
