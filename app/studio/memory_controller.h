// The memories of a session: the one that its last analysis left, and one from a file; which of them is at hand, what it was
// asked and what it said. Owns the asker; views see models and signals, all on the GUI's thread.
#pragma once

#include <QObject>
#include <QString>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "app/settings.h"
#include "app/stop_signals.h"
#include "app/studio/answer_model.h"
#include "app/studio/landmark_model.h"
#include "app/studio/mailbox.h"
#include "app/studio/memory_asker.h"

namespace longtake {

class MemoryController : public QObject {
  Q_OBJECT

 public:
  enum Place { kLearned, kLoaded, kPlaces };

  // `settings.memory`, if there is one, is loaded, and the next analysis starts from it.
  MemoryController(const Settings& settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log,
                   const StopSignals& signals);
  ~MemoryController() override;

  // The file becomes the memory of that place, and is then at hand.
  void load(const QString& file, Place place = kLoaded);
  // Null: there is none.
  std::shared_ptr<const MemoryFacts> facts(Place place) const;
  std::shared_ptr<const MemoryFacts> at_hand() const { return facts(place_); }
  Place place() const { return place_; }
  void use(Place place);
  void save(const QString& file);

  // Of the memory at hand. `in_words`: what `about` is, for people.
  void ask(MemoryAsker::About about, const QString& in_words);
  void cancel() { asker_.cancel(); }
  void compare_with(const QString& file);
  int questions() const { return questions_; }  // that were not answered yet

  // Whether the next analysis starts from the memory at hand.
  bool starts_analysis() const { return starts_analysis_; }
  void set_starts_analysis(bool on);
  // The file that it starts from; empty: from nothing.
  std::filesystem::path start() const;

  // The video that is open; empty: none.
  void set_open_video(const QString& uri);
  // Whether a landmark of `memory` is a moment of that video.
  bool in_open_video(const MemoryFacts& memory, const Remembered& one) const;

  LandmarkModel& landmarks() { return landmarks_; }  // of the memory at hand
  AnswerModel& answers() { return answers_; }
  const std::optional<MemoryComparison>& comparison() const { return comparison_; }

 Q_SIGNALS:
  void memory_changed();
  void questions_changed();
  void answered();  // the first row of answers()
  void compared();
  void saved(const QString& file);
  void failed(const QString& sentence);

 private:
  using Letters = std::vector<std::function<void()>>;
  // `then` on the GUI's thread; errors but a cancel are said.
  template <class T>
  MemoryAsker::Then<T> on_gui(std::function<void(Result<T>)> then);
  void say(const Error& error);
  void say_full(bool taken);

  std::filesystem::path first_;  // what the first analysis starts from, until it is loaded
  Place place_ = kLoaded;
  bool starts_analysis_ = false;
  int questions_ = 0;
  LandmarkModel landmarks_;
  AnswerModel answers_;
  std::optional<MemoryComparison> comparison_;
  std::filesystem::path open_video_;
  std::string open_key_;  // source_key() of it; empty: not known

  Mailbox<std::function<void()>> from_asker_;  // closed before the asker's thread is joined
  MemoryAsker asker_;
  std::array<std::shared_ptr<OpenMemory>, kPlaces> memories_;
};

}  // namespace longtake
