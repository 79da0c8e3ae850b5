#include "app/studio/layer_model.h"

#include <cmath>
#include <limits>

#include "app/studio/colours.h"
#include "app/studio/samples.h"

namespace longtake {

LayerModel::LayerModel(const Findings& findings, const TimeAxis& axis, QObject* parent)
    : QAbstractTableModel(parent), findings_(findings), axis_(axis) {
  connect(&findings, &Findings::changed, this, &LayerModel::read);
  connect(&axis, &TimeAxis::playhead_changed, this, &LayerModel::read_again);
  connect(&axis, &TimeAxis::hover_changed, this, &LayerModel::read_again);
  read();
}

void LayerModel::read() {
  const auto layers = static_cast<int>(findings_.curves().layers().size());
  if (layers == layers_) return read_again();
  beginResetModel();
  layers_ = layers;
  endResetModel();
}

void LayerModel::read_again() {
  if (layers_ > 0) Q_EMIT dataChanged(index(0, kBefore), index(layers_ - 1, kDrift));
}

bool LayerModel::shows(int layer) const {
  const auto i = static_cast<std::size_t>(layer);
  return i >= hidden_.size() || !hidden_[i];
}

void LayerModel::set_shown(int layer, bool on) {
  const auto i = static_cast<std::size_t>(layer);
  if (layer < 0 || layer >= layers_ || shows(layer) == on) return;
  if (i >= hidden_.size()) hidden_.resize(i + 1, false);
  hidden_[i] = !on;
  Q_EMIT dataChanged(index(layer, kLayer), index(layer, kLayer));
  Q_EMIT drawing_changed();
}

void LayerModel::set_mean_seconds(double seconds) {
  if (seconds == mean_seconds_) return;
  mean_seconds_ = seconds;
  if (layers_ > 0) Q_EMIT dataChanged(index(0, kMean), index(layers_ - 1, kMean));
  Q_EMIT drawing_changed();
}

float LayerModel::value(int row, Column column) const {
  const auto sample = sample_at(findings_, moment());
  if (!sample) return std::numeric_limits<float>::quiet_NaN();
  const LayerCurves& layer = findings_.curves().layers()[static_cast<std::size_t>(row)];
  if (column == kMean) return running_mean(findings_, layer.before, {*sample}, mean_seconds_).front();
  const CurvePyramid& curve = column == kBefore ? layer.before : column == kAfter ? layer.after : layer.drift;
  const auto extent = extents(curve, {*sample}).front();
  return extent.empty() ? std::numeric_limits<float>::quiet_NaN() : extent.mean;
}

int LayerModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : layers_; }
int LayerModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant LayerModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const auto column = static_cast<Column>(index.column());
  if (column == kLayer) {
    if (role == Qt::DisplayRole) return QString::number(index.row() + 1);
    if (role == Qt::CheckStateRole) return shows(index.row()) ? Qt::Checked : Qt::Unchecked;
    if (role == Qt::DecorationRole) return curve_colour(index.row());
    return {};
  }
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  const float number = value(index.row(), column);
  return std::isfinite(number) ? QString::number(static_cast<double>(number), 'f', 4) : QStringLiteral("–");
}

bool LayerModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (role != Qt::CheckStateRole || !index.isValid() || index.column() != kLayer) return false;
  set_shown(index.row(), value.toInt() == Qt::Checked);
  return true;
}

Qt::ItemFlags LayerModel::flags(const QModelIndex& index) const {
  const Qt::ItemFlags out = QAbstractTableModel::flags(index);
  return index.isValid() && index.column() == kLayer ? out | Qt::ItemIsUserCheckable : out;
}

QVariant LayerModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::ToolTipRole) {
    switch (section) {
      case kLayer: return tr("A box that is not ticked hides the layer's curves");
      case kBefore: return tr("Inner loss before the frame's update: mean squared error per token element");
      case kAfter: return tr("Inner loss after the frame's update");
      case kMean: return tr("Running mean of the loss before the update");
      case kDrift: return tr("Change of the fast weights since the start, as a share of them");
      default: return {};
    }
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case kLayer: return tr("Layer");
    case kBefore: return tr("Before");
    case kAfter: return tr("After");
    case kMean: return tr("Mean");
    case kDrift: return tr("Drift");
    default: return {};
  }
}

}  // namespace longtake
