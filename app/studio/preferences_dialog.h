// What is set once and remembered: colours, threads, the model, and what sessions take of the disk. Every change counts at
// once or from the next start on, as the dialog says; there is nothing to confirm.
#pragma once

#include <QDialog>
#include <QString>

#include "app/studio/sessions_on_disk.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace longtake {

class Preferences;
class SessionController;

class PreferencesDialog : public QDialog {
  Q_OBJECT

 public:
  PreferencesDialog(Preferences& preferences, SessionController& session, QWidget* parent = nullptr);

 private:
  void make_look(QFormLayout* form);
  void make_engine(QFormLayout* form);
  void make_sessions(QFormLayout* form);
  QLabel* remark(const QString& name);
  void browse();
  QString chosen_model() const;  // empty: the default
  void take_model();             // if it is one
  void count_sessions();
  void say_sessions(const SessionsOnDisk& found);
  void ask_to_clear();
  void clear();
  QString open_video() const;

  Preferences& preferences_;
  SessionController& session_;
  QComboBox* theme_ = nullptr;
  QSpinBox* threads_ = nullptr;
  QLineEdit* model_ = nullptr;
  QLabel *about_model_ = nullptr, *disk_ = nullptr, *cleared_ = nullptr;
  QPushButton* clear_ = nullptr;
};

}  // namespace longtake
