// Many videos in the background: what `longtake batch` does, into the folder of the sessions, so that opening one of them
// shows its result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "app/batch/batch.h"
#include "app/settings.h"
#include "app/stop_signals.h"
#include "app/studio/model_holder.h"
#include "core/result.h"

namespace longtake {

class VideoWork {
 public:
  static constexpr std::size_t kMostVideos = 10'000;

  enum class What {
    kLook,   // say which videos there are, and what is known of them
    kWatch,  // watch those that were not watched yet, or not to their end
    kRetry,  // and those that failed
  };
  // All on the work's threads, one call at a time.
  struct Listener {
    std::function<void(std::vector<ManifestEntry>)> found;
    std::function<void(ManifestEntry)> changed;
    std::function<void(std::int64_t)> frames;         // of the one that is being watched; a few times a second
    std::function<void(std::optional<Error>)> ended;  // last; kStopped after stop()
  };

  // `given`: files and folders. `settings`: of every analysis; the rest has to outlive this.
  VideoWork(What what, std::vector<std::string> given, Settings settings, std::shared_ptr<spdlog::logger> log,
            const StopSignals& signals, ModelHolder& models, Listener listener);
  // Asks it to stop and waits; a checkpoint of where it was is left behind.
  ~VideoWork() = default;

  void stop() { thread_.request_stop(); }

 private:
  Result<void> work(const std::stop_token& stop);

  const What what_;
  const std::vector<std::string> given_;
  const Settings settings_;
  const std::shared_ptr<spdlog::logger> log_;
  const StopSignals& signals_;
  ModelHolder& models_;
  const Listener listener_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
