// What was asked of memories and what they said, the last answer first.
#pragma once

#include <QAbstractListModel>
#include <deque>

#include "app/studio/memory_asker.h"

namespace longtake {

struct AskedMemory {
  QString about;  // what was asked about, in words
  MemoryAnswer said;
};

class AnswerModel : public QAbstractListModel {
  Q_OBJECT

 public:
  static constexpr int kMost = 100;  // the oldest go

  using QAbstractListModel::QAbstractListModel;

  void add(AskedMemory answer);
  // Throws std::out_of_range.
  const AskedMemory& answer(int row) const { return answers_.at(static_cast<std::size_t>(row)); }

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

  // Whether it was seen, and where: "Seen, at about 00:06 in city.mp4".
  static QString verdict(const MemoryAnswer& said);
  // How sure that is.
  static QString certainty(const MemoryAnswer& said);

 private:
  std::deque<AskedMemory> answers_;
};

}  // namespace longtake
