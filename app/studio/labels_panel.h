// Teaching labels: "this stretch is …". Names with their keys, and the stretches that were named so far.
#pragma once

#include <QWidget>
#include <array>

#include "app/studio/session_controller.h"

class QAction;
class QLabel;
class QLineEdit;
class QStringListModel;
class QTableWidget;

namespace longtake {

class LabelsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit LabelsPanel(SessionController& session, QWidget* parent = nullptr);

  // For a menu, which also makes their keys work: ask for a name (Enter), and the names of 1 … 9.
  QAction* ask_action() const { return ask_; }
  const std::array<QAction*, 9>& key_actions() const { return keys_; }

 Q_SIGNALS:
  void finished();  // a name was typed, or not after all: the keys are the video's again

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void ask();
  void take_name();
  void label_marked(const QString& name);
  void remove_chosen();
  void show_labels();
  void show_told();

  SessionController& session_;
  QLineEdit* name_;
  QStringListModel* known_;
  QTableWidget* examples_;
  QLabel* told_;
  QAction* ask_;
  std::array<QAction*, 9> keys_{};
};

}  // namespace longtake
