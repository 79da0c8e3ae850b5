#include "app/studio/landmark_model.h"

#include <QImage>
#include <algorithm>
#include <utility>

#include "app/studio/event_model.h"
#include "core/signals/observation.h"

namespace longtake {
namespace {

// Three times as large as it is kept; grey where no picture was kept.
QPixmap picture_of(const Remembered& one) {
  constexpr int kTimes = 3;
  if (one.picture.empty()) {
    QPixmap out(kTimes * kThumbnailWidth, kTimes * kThumbnailHeight);
    out.fill(QColor(128, 128, 128));
    return out;
  }
  const QImage image(one.picture.data(), kThumbnailWidth, kThumbnailHeight, 3 * kThumbnailWidth, QImage::Format_RGB888);
  return QPixmap::fromImage(image.scaled(kTimes * image.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
}

}  // namespace

void LandmarkModel::clear() { show(nullptr, {}, false); }

void LandmarkModel::show_all(std::shared_ptr<const MemoryFacts> memory) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < memory->landmarks.size(); ++i) rows.push_back({i, 0, picture_of(memory->landmarks[i])});
  std::ranges::stable_sort(rows, {}, [&](const Row& row) {
    const Remembered& one = memory->landmarks[row.which];
    return std::pair(one.video, one.t);
  });
  show(std::move(memory), std::move(rows), false);
}

void LandmarkModel::show_nearest(std::shared_ptr<const MemoryFacts> memory, std::vector<NearLandmark> nearest) {
  std::vector<Row> rows;
  for (const NearLandmark& near : nearest) {
    const auto which = static_cast<std::size_t>(near.which);
    rows.push_back({which, near.score, picture_of(memory->landmarks.at(which))});
  }
  show(std::move(memory), std::move(rows), true);
}

void LandmarkModel::show(std::shared_ptr<const MemoryFacts> memory, std::vector<Row> rows, bool scored) {
  beginResetModel();
  memory_ = std::move(memory);
  rows_ = std::move(rows);
  scored_ = scored;
  endResetModel();
}

const Remembered& LandmarkModel::landmark(int row) const {
  return memory_->landmarks[rows_.at(static_cast<std::size_t>(row)).which];
}

int LandmarkModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

QString LandmarkModel::words(const Row& row) const {
  const Remembered& one = memory_->landmarks[row.which];
  const QString where = tr("%1 of %2").arg(clock_text(one.t), QString::fromStdString(one.source));
  return scored_ ? tr("%1\nlikeness %2").arg(where).arg(row.score, 0, 'f', 2) : where;
}

QVariant LandmarkModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const Row& row = rows_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DecorationRole: return row.picture;
    case Qt::DisplayRole: return scored_ ? words(row) : clock_text(memory_->landmarks[row.which].t);
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole: return words(row);
    default: return {};
  }
}

}  // namespace longtake
