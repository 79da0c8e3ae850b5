// All keys, to be looked up and changed: a double click on a line, the new key, Set.
#pragma once

#include <QDialog>
#include <QSortFilterProxyModel>

class QKeySequenceEdit;
class QLabel;
class QPushButton;
class QTableView;

namespace longtake {

class KeyModel;

class KeysDialog : public QDialog {
  Q_OBJECT

 public:
  // `model` has to outlive this.
  explicit KeysDialog(KeyModel& model, QWidget* parent = nullptr);

 private:
  int row() const;  // of the model; -1: none
  void begin();
  void look();
  void set();

  KeyModel& model_;
  QSortFilterProxyModel filtered_;
  QTableView* table_;
  QKeySequenceEdit* key_;
  QLabel* remark_;
  QPushButton *set_, *usual_;
  bool warned_ = false;  // that the key would be taken from another action
};

}  // namespace longtake
