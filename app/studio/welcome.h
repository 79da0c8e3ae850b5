// In place of the picture while nothing is open: what can be opened, and what was.
#pragma once

#include <QWidget>

#include "app/studio/preferences.h"

class QVBoxLayout;

namespace longtake {

class Welcome : public QWidget {
  Q_OBJECT

 public:
  explicit Welcome(const Preferences& preferences, QWidget* parent = nullptr);

  void list_recent();  // anew

 Q_SIGNALS:
  void files_wanted();
  void folder_wanted();
  void address_wanted();
  void recent_wanted(const QString& uri);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  const Preferences& preferences_;
  QWidget* recent_;
  QVBoxLayout* recent_rows_;
};

}  // namespace longtake
