// What a person decides about one video, as it happens: every change can be undone, and is on the disk soon after. On the
// GUI's thread.
#pragma once

#include <QObject>
#include <QTimer>
#include <QUndoStack>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/studio/edits.h"
#include "app/studio/mailbox.h"
#include "app/studio/project_file.h"
#include "app/studio/put_together.h"

namespace longtake {

class Project : public QObject {
  Q_OBJECT

 public:
  static constexpr int kSaveAfter_ms = 300;  // from the first change that is not saved
  static constexpr int kMostUndone = 1000;

  Project();
  ~Project() override;

  // From now on `edits` of the video with this identity, kept in `file`.
  void open(std::filesystem::path file, std::string video, Edits edits);
  // Saves what is not saved yet, and waits for it.
  void close();
  bool is_open() const { return saver_ != nullptr; }

  const Edits& edits() const { return edits_; }
  QUndoStack& undo_stack() { return undo_; }

  // Each is one step to undo. Names are cut to what fits; of a name that is empty, what was found is shown again.
  void rename(const std::vector<ListedEvent>& events, const QString& name);
  void remove(const std::vector<ListedEvent>& events);
  void call_false(const std::vector<ListedEvent>& events);  // "not an event"
  void add_mark(const Moment& at, const QString& name = {});
  void move(const ListedEvent& event, const Moment& to);
  // Into the first of them, which spans all.
  void merge(std::vector<ListedEvent> events);
  // In two; the second, a mark, begins at `at`. False: that is not behind the event's frame, or behind its last.
  bool split(const ListedEvent& event, const Moment& at);

  void rename_segment(const SegmentRecord& segment, const QString& name);
  // False: it begins there.
  bool split_segment(const SegmentRecord& segment, const Moment& at);
  // `next` becomes part of `segment`.
  void merge_segments(const SegmentRecord& segment, const SegmentRecord& next);

  void add_label(RangeLabel label);  // a new name gets the first free key
  void remove_label(std::size_t i);
  void set_key(std::size_t key, const QString& name);  // 0 … 8
  // Steps with the same `gesture`, one behind the other, are undone as one.
  void set_thresholds(const Thresholds& thresholds, int gesture);
  int new_gesture() { return ++gestures_; }

 Q_SIGNALS:
  void changed();
  void failed(const longtake::Error& error);

 private:
  class Step;
  void change(const QString& text, const std::function<void(Edits&)>& how, int gesture = 0);
  void set_fate(const QString& text, const std::vector<ListedEvent>& events, EventEdit::Fate fate);
  void after_change();
  void save();

  Edits edits_;
  std::string video_;
  QUndoStack undo_;
  QTimer due_;
  int gestures_ = 0;
  std::unique_ptr<Mailbox<Error>> errors_;
  std::unique_ptr<ProjectSaver> saver_;
};

}  // namespace longtake
