// Memories that are asked in the background: what `longtake memory query`, `memory compare` and `memory info` say.
//
// Never blocks: every call is a wish that the asker's own thread fulfils, one after the other. Each ends with one call of
// `then`, on that thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "app/memory_asking.h"
#include "app/settings.h"
#include "app/stop_signals.h"
#include "app/studio/model_holder.h"
#include "core/result.h"
#include "models/eval/familiarity.h"
#include "models/memory_file.h"
#include "models/recall/familiarity.h"

namespace longtake {

// A moment that a memory kept.
struct Remembered {
  double t = 0;  // seconds in its video
  std::int64_t pts = 0;
  Rational time_base{1, 1};
  std::int64_t video = 0;             // 1 is the first one that was watched
  std::string source;                 // name of its video, cut to kLandmarkSourceBytes
  std::vector<std::uint8_t> picture;  // [18][32][3]; empty if none was kept
};

// What a memory says about itself.
struct MemoryFacts {
  std::filesystem::path file;
  MemoryLabel label;
  std::int64_t frames = 0;   // watched, in all videos
  double watched_s = 0;      // likewise
  std::uintmax_t bytes = 0;  // of the file
  bool calibrated = false;   // false: familiarity ranks, but 0.8 does not mean 80 %
  std::vector<Remembered> landmarks;
};

// A memory in hand. Its facts are for everyone, the rest is for the asker.
class OpenMemory {
 public:
  const std::shared_ptr<const MemoryFacts> facts;

 private:
  friend class MemoryAsker;
  OpenMemory(std::shared_ptr<const MemoryFacts> known, std::shared_ptr<const Asking> asking, MemoryFile file,
             FrozenMemory frozen)
      : facts(std::move(known)), asking_(std::move(asking)), file_(std::move(file)), frozen_(std::move(frozen)) {}

  std::shared_ptr<const Asking> asking_;  // of the model that it belongs to
  MemoryFile file_;
  FrozenMemory frozen_;
};

struct MemoryAnswer {
  std::shared_ptr<const MemoryFacts> memory;  // whose landmarks Answer::nearest counts
  Answer answer;
};

struct MemoryComparison {
  std::shared_ptr<const MemoryFacts> a, b;
  Acquaintance a_knows_b, b_knows_a;
  double distance = 0;  // see learned_distance()
};

class MemoryAsker {
 public:
  static constexpr std::size_t kMostWaiting = 32;
  static constexpr std::size_t kNearest = 5;  // landmarks told

  template <class T>
  using Then = std::function<void(Result<T>)>;

  // Frames of a video, or a picture. `from` and `to` as --from and --to take them; empty: all of it.
  struct About {
    std::string input, from, to;
  };

  // `settings`: of every question, but for the model, which is the one in `model`. `model` and `signals` have to outlive this.
  MemoryAsker(Settings settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log, const StopSignals& signals);
  // Stops; takes no longer than a frame, or the loading of a model.
  ~MemoryAsker() = default;

  // All of them: false if too many wishes wait already; `then` is then not called.
  bool load(std::filesystem::path file, Then<std::shared_ptr<OpenMemory>> then);
  bool ask(std::shared_ptr<OpenMemory> memory, About about, Then<MemoryAnswer> then);
  bool compare(std::shared_ptr<OpenMemory> a, std::filesystem::path b, Then<MemoryComparison> then);
  // The old file stays until the new one is whole.
  bool save(std::shared_ptr<OpenMemory> memory, std::filesystem::path file, Then<void> then);
  // source_key(), which reads.
  bool identify(std::filesystem::path video, Then<std::string> then);

  // The questions that wait or are being answered end with an error of kind kStopped.
  void cancel();

 private:
  using Wish = std::function<void(const std::stop_token&)>;

  template <class T, class Work>
  bool wish(Then<T> then, Work work);
  void run(const std::stop_token& stop);
  Result<std::shared_ptr<const Asking>> asking();
  Result<std::shared_ptr<OpenMemory>> open(const std::filesystem::path& file);
  Result<MemoryAnswer> answer(OpenMemory& memory, const About& about, const std::stop_token& stop);

  const Settings settings_;
  ModelHolder& model_;
  const std::shared_ptr<spdlog::logger> log_;
  const StopSignals& signals_;

  std::shared_ptr<const Asking> asking_;  // of the thread

  std::mutex mutex_;
  std::condition_variable_any wished_;
  std::deque<Wish> wishes_;
  std::stop_source questions_;  // of all asked since the last cancel()

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
