#include "app/studio/memory_controller.h"

#include <utility>

namespace longtake {
namespace {

constexpr std::size_t kUnread = 64;

// Landmarks keep as much of a name as they have room for.
bool is_name(const std::string& name, const std::string& kept) {
  return name == kept || (kept.size() + 4 >= kLandmarkSourceBytes && name.starts_with(kept));
}

}  // namespace

MemoryController::MemoryController(const Settings& settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log,
                                   const StopSignals& signals)
    : first_(settings.memory),
      starts_analysis_(!settings.memory.empty()),
      from_asker_(kUnread,
                  [](const Letters& letters) {
                    for (const auto& letter : letters) letter();
                  }),
      asker_(settings, model, std::move(log), signals) {
  if (!first_.empty()) load(QString::fromStdString(first_.string()));
}

MemoryController::~MemoryController() { from_asker_.close(); }

template <class T>
MemoryAsker::Then<T> MemoryController::on_gui(std::function<void(Result<T>)> then) {
  return [this, then = std::move(then)](Result<T> result) {
    from_asker_.post([then, result = std::move(result)]() mutable { then(std::move(result)); });
  };
}

void MemoryController::say(const Error& error) {
  if (error.kind != ErrorKind::kStopped) Q_EMIT failed(QString::fromStdString(error.message));
}

void MemoryController::say_full(bool taken) {
  if (!taken) Q_EMIT failed(tr("Too much was asked at once; wait for an answer, or cancel"));
}

void MemoryController::load(const QString& file, Place place) {
  using Loaded = std::shared_ptr<OpenMemory>;
  say_full(asker_.load(file.toStdString(), on_gui<Loaded>([this, place](Result<Loaded> memory) {
                         if (!memory) return say(memory.error());
                         memories_[place] = std::move(*memory);
                         first_.clear();
                         use(place);
                       })));
}

std::shared_ptr<const MemoryFacts> MemoryController::facts(Place place) const {
  return memories_[place] ? memories_[place]->facts : nullptr;
}

void MemoryController::use(Place place) {
  place_ = place;
  if (const auto memory = at_hand()) {
    landmarks_.show_all(memory);
  } else {
    landmarks_.clear();
  }
  comparison_.reset();
  Q_EMIT memory_changed();
}

void MemoryController::save(const QString& file) {
  if (!memories_[place_]) return;
  say_full(asker_.save(memories_[place_], file.toStdString(), on_gui<void>([this, file](const Result<void>& done) {
                         if (!done) return say(done.error());
                         Q_EMIT saved(file);
                       })));
}

void MemoryController::ask(MemoryAsker::About about, const QString& in_words) {
  if (!memories_[place_]) {
    Q_EMIT failed(tr("There is no memory to ask yet: analyse a video, or load a memory file"));
    return;
  }
  const auto answered_one = [this, in_words](Result<MemoryAnswer> said) {
    --questions_;
    Q_EMIT questions_changed();
    if (!said) return say(said.error());
    answers_.add({in_words, std::move(*said)});
    Q_EMIT answered();
  };
  const bool taken = asker_.ask(memories_[place_], std::move(about), on_gui<MemoryAnswer>(answered_one));
  questions_ += taken ? 1 : 0;
  say_full(taken);
  Q_EMIT questions_changed();
}

void MemoryController::compare_with(const QString& file) {
  if (!memories_[place_]) return;
  say_full(asker_.compare(memories_[place_], file.toStdString(),
                          on_gui<MemoryComparison>([this](Result<MemoryComparison> said) {
                            if (!said) return say(said.error());
                            comparison_ = std::move(*said);
                            Q_EMIT compared();
                          })));
}

void MemoryController::set_starts_analysis(bool on) {
  starts_analysis_ = on;
  Q_EMIT memory_changed();
}

std::filesystem::path MemoryController::start() const {
  if (!starts_analysis_) return {};
  const auto memory = at_hand();
  return memory ? memory->file : first_;
}

void MemoryController::set_open_video(const QString& uri) {
  open_video_ = uri.toStdString();
  open_key_.clear();
  if (uri.isEmpty()) return;
  asker_.identify(open_video_, on_gui<std::string>([this, video = open_video_](Result<std::string> key) {
                    if (key && video == open_video_) open_key_ = std::move(*key);
                  }));
}

bool MemoryController::in_open_video(const MemoryFacts& memory, const Remembered& one) const {
  if (open_video_.empty() || !is_name(open_video_.filename().string(), one.source)) return false;
  // Another file of the same name, as far as the memory knows what it watched: it knows that of the last video.
  const bool known = one.video == memory.label.videos && !memory.label.source_key.empty() && !open_key_.empty();
  return !known || memory.label.source_key == open_key_;
}

}  // namespace longtake
