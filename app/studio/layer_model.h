// Every layer, as rows, with what it says of the moment under the mouse, or at the playhead when the mouse is elsewhere. The
// box of a row shows or hides its curves.
#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "app/studio/findings.h"
#include "app/studio/time_axis.h"

namespace longtake {

class LayerModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kLayer, kBefore, kAfter, kMean, kDrift, kColumns };

  LayerModel(const Findings& findings, const TimeAxis& axis, QObject* parent = nullptr);

  bool shows(int layer) const;
  void set_shown(int layer, bool on);

  double moment() const { return axis_.hover().value_or(axis_.playhead()); }  // in seconds
  // How many seconds the running mean looks back.
  double mean_seconds() const { return mean_seconds_; }
  void set_mean_seconds(double seconds);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 Q_SIGNALS:
  void drawing_changed();  // other curves are to be drawn

 private:
  void read();        // what is known may have become more
  void read_again();  // the moment is another
  float value(int row, Column column) const;

  const Findings& findings_;
  const TimeAxis& axis_;
  int layers_ = 0;
  std::vector<bool> hidden_;
  double mean_seconds_ = 1;
};

}  // namespace longtake
