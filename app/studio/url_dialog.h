// Asks for the address of a video or stream, and takes none whose form is wrong.
#pragma once

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;

namespace longtake {

class UrlDialog : public QDialog {
  Q_OBJECT

 public:
  explicit UrlDialog(const QString& address, QWidget* parent = nullptr);

  QString address() const;

 private:
  void look();

  QLineEdit* address_;
  QLabel* complaint_;
  QPushButton* open_;
};

}  // namespace longtake
