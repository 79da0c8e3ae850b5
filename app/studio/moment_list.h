// Moments as small pictures to choose from, side by side or one below the other.
#pragma once

#include <QListView>

#include "app/studio/landmark_model.h"

namespace longtake {

class MomentList : public QListView {
  Q_OBJECT

 public:
  MomentList(LandmarkModel& model, Qt::Orientation along, QWidget* parent);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {100, sizeHint().height()}; }

 Q_SIGNALS:
  void chosen(int row);  // by a click, or Enter

 private:
  const Qt::Orientation along_;
};

}  // namespace longtake
