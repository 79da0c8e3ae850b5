// Asks for a time, in the forms that the command line takes, and takes no other.
#pragma once

#include <QDialog>

#include "core/media/source.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace longtake {

class GoToDialog : public QDialog {
  Q_OBJECT

 public:
  explicit GoToDialog(double now, QWidget* parent = nullptr);

 Q_SIGNALS:
  void wanted(longtake::TimePoint time);

 private:
  void look();
  void go();

  QLineEdit* time_;
  QLabel* complaint_;
  QPushButton* go_;
};

}  // namespace longtake
