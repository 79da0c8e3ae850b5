// Below the video: playing and stepping by mouse, where one is, and what is done with the video as a whole. Its buttons are
// actions of the menus, so that both say the same and have the same keys.
#pragma once

#include <QWidget>

#include "app/studio/glyphs.h"
#include "app/studio/session_controller.h"

class QAction;
class QHBoxLayout;
class QLabel;

namespace longtake {

class TransportBar : public QWidget {
  Q_OBJECT

 public:
  explicit TransportBar(SessionController& session, QWidget* parent = nullptr);

  void add_play(QAction* action);  // its sign says what it would do
  void add_step(QAction* action, Glyph glyph);
  void add_work(QAction* action, Glyph glyph);  // at the right, with its words

 private:
  class Button;
  void say_state();

  SessionController& session_;
  QWidget* steps_;
  QHBoxLayout *step_row_, *work_row_;
  QLabel* position_;
  QAction* play_ = nullptr;
};

}  // namespace longtake
