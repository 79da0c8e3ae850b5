// "Have I seen this?": the memory at hand, what it is asked, and what it says. Pictures, clips and memory files can be dropped
// on it or pasted into it.
#pragma once

#include <QTemporaryDir>
#include <QWidget>
#include <memory>

#include "app/studio/session_controller.h"

class QAbstractButton;
class QCheckBox;
class QComboBox;
class QLabel;
class QListView;
class QMimeData;
class QProgressBar;
class QScrollArea;

namespace longtake {

class MomentList;

class MemoryPanel : public QWidget {
  Q_OBJECT

 public:
  explicit MemoryPanel(SessionController& session, QWidget* parent = nullptr);

  // A memory file is loaded, anything else is asked about.
  void take_file(const QString& file);
  void ask_about_shown_frame();
  void ask_about_marked_range();

  QSize sizeHint() const override { return {340, 420}; }
  QSize minimumSizeHint() const override { return {220, 120}; }

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  // memory_panel_parts.cpp
  void make_parts();
  QWidget* make_memory();
  QWidget* make_question();
  QWidget* make_answer();
  QWidget* make_kept();
  QLabel* label(const QString& name);
  QAbstractButton* button(const QString& name, const QString& text, const QString& tip, void (MemoryPanel::*what)());

  bool take(const QMimeData& given);
  void choose_memory();
  void choose_place();
  void choose_clip();
  void choose_other_memory();
  void cancel();

  QString name_of(const MemoryFacts& memory) const;
  void say_memory();
  void say_what_can_be_asked();
  void say_questions();
  void say_answer(int row);
  void say_comparison();
  void say(const QString& sentence);  // until something else is done
  void go_to(const MemoryFacts& memory, const Remembered& one);

  SessionController& session_;
  MemoryController& memories_;
  LandmarkModel nearest_;
  std::shared_ptr<const MemoryFacts> answered_by_;  // whose landmarks are in nearest_
  QTemporaryDir pasted_;                            // pictures that came without a file
  int pastes_ = 0;

  QScrollArea* scroll_ = nullptr;
  QLabel *empty_ = nullptr, *facts_ = nullptr, *said_ = nullptr, *about_ = nullptr, *verdict_ = nullptr,
         *certainty_ = nullptr, *compared_ = nullptr, *waiting_words_ = nullptr;
  QComboBox* which_ = nullptr;
  QCheckBox* start_ = nullptr;
  MomentList *landmarks_ = nullptr, *near_ = nullptr;
  QListView* history_ = nullptr;
  QProgressBar* familiarity_ = nullptr;
  QAbstractButton *frame_ = nullptr, *range_ = nullptr, *file_ = nullptr;
  QWidget *question_part_ = nullptr, *answer_part_ = nullptr, *kept_part_ = nullptr, *waiting_ = nullptr,
          *earlier_ = nullptr;
};

}  // namespace longtake
