// The events and segments of a video, and all that a person can do to them, by mouse and by keys.
#pragma once

#include <QList>
#include <QWidget>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/studio/event_filter.h"
#include "app/studio/session_controller.h"

class QAction;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSlider;
class QStackedWidget;
class QTableView;
class QTabWidget;

namespace longtake {

class EventsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit EventsPanel(SessionController& session, QWidget* parent = nullptr);

  // For a menu, which also makes their keys work; null stands for a line between two.
  const QList<QAction*>& edit_actions() const { return edit_actions_; }

 private:
  QWidget* make_filters();
  QWidget* make_thresholds();
  QWidget* make_event_list();
  QWidget* make_segment_list();
  void make_actions();
  void prepare(QTableView* table, int stretched);

  std::vector<ListedEvent> selected_events() const;
  int segment_row() const;  // the selected one, or that at the playhead; -1: none
  bool segments_shown() const;
  void jump_to_event(const QModelIndex& index);
  void rename();
  void remove();
  void call_false();
  void choose_near(int row);
  bool choose(std::int64_t pts, const std::optional<EventKey>& key = {});
  void keep_choice();
  void choose_kept();
  void choose_shown();
  void merge();
  void split();
  void merge_segment();
  void set_thresholds();
  void show_state();
  void show_kinds();

  SessionController& session_;
  EventFilter filter_;
  QTabWidget* tabs_ = nullptr;
  QStackedWidget* event_pages_ = nullptr;  // the list, or what to do
  QTableView *events_ = nullptr, *segments_ = nullptr;
  QComboBox* kind_ = nullptr;
  QDoubleSpinBox* surprise_ = nullptr;
  QSlider* confidence_ = nullptr;
  QLabel *confidence_text_ = nullptr, *what_to_do_ = nullptr, *count_ = nullptr;
  QList<QAction*> edit_actions_;
  QAction *rename_ = nullptr, *remove_ = nullptr, *false_ = nullptr, *merge_ = nullptr, *split_ = nullptr,
          *add_ = nullptr;
  int gesture_ = 0;
  bool choosing_ = false;
  std::optional<ListedEvent> kept_;  // the one that was chosen before the list changed
};

}  // namespace longtake
