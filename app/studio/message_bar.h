// One sentence that something went wrong, above the video, until it is closed or another one comes.
#pragma once

#include <QFrame>

class QLabel;

namespace longtake {

class MessageBar : public QFrame {
  Q_OBJECT

 public:
  explicit MessageBar(QWidget* parent = nullptr);

  void say(const QString& sentence);
  QString sentence() const;  // empty while it is closed

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QLabel* words_;
};

}  // namespace longtake
