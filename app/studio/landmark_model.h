// Moments that a memory kept, as rows with their small pictures: all of them, or those nearest to what was asked about.
#pragma once

#include <QAbstractListModel>
#include <QPixmap>
#include <memory>
#include <vector>

#include "app/studio/memory_asker.h"

namespace longtake {

class LandmarkModel : public QAbstractListModel {
  Q_OBJECT

 public:
  using QAbstractListModel::QAbstractListModel;

  void clear();
  // In the order they were watched in; said by their time.
  void show_all(std::shared_ptr<const MemoryFacts> memory);
  // Best first; said by time, video and likeness.
  void show_nearest(std::shared_ptr<const MemoryFacts> memory, std::vector<NearLandmark> nearest);

  // Throws std::out_of_range.
  const Remembered& landmark(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

 private:
  struct Row {
    std::size_t which = 0;
    double score = 0;
    QPixmap picture;
  };
  void show(std::shared_ptr<const MemoryFacts> memory, std::vector<Row> rows, bool scored);
  QString words(const Row& row) const;

  std::shared_ptr<const MemoryFacts> memory_;
  std::vector<Row> rows_;
  bool scored_ = false;
};

}  // namespace longtake
