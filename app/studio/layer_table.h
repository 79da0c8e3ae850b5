// What every layer says of the moment under the mouse, or of the frame that is shown; and which layers are drawn.
#pragma once

#include <QWidget>

#include "app/studio/layer_model.h"

class QLabel;
class QTableView;

namespace longtake {

class LayerTable : public QWidget {
  Q_OBJECT

 public:
  LayerTable(const Findings& findings, const TimeAxis& axis, LayerModel& layers, QWidget* parent = nullptr);

 protected:
 private:
  void say_moment();

  const Findings& findings_;
  LayerModel& layers_;
  QLabel* moment_;
  QTableView* table_;
};

}  // namespace longtake
