// An analysis in the background: what `longtake analyze -o RESULT --checkpoint CHECKPOINT --save-memory MEMORY` does, and
// every record is also handed to those who watch it grow. Equal settings give the bytes of that command; only a run that was
// stopped closes what was open, where the command would leave it open in the memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "app/settings.h"
#include "app/stop_signals.h"
#include "core/media/source.h"
#include "core/pipeline/pipeline.h"
#include "core/records/records.h"

namespace longtake {

class LiveTap;
class ModelHolder;

class AnalysisRun {
 public:
  struct Done {
    EndRecord end;
    std::optional<Error> error;
    std::shared_ptr<const TensorFile> state;  // null if nothing was watched
  };
  // All on the run's threads, one call at a time.
  struct Listener {
    std::function<void(const StreamInfo&)> opened = nullptr;  // first; may be null
    std::function<void(std::vector<Record>)>
        records;                     // may wait: the run waits too; of a continued result, all from its start
    std::function<void(Done)> done;  // last
  };

  // settings: input, output, checkpoint, memory to save and all that changes results, but for the model, which is the one in `model`.
  // `model` and `signals` have to outlive this.
  AnalysisRun(Settings settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log, const StopSignals& signals,
              Listener listener, LiveTap* tap = nullptr);
  // Asks it to stop and waits; a checkpoint of where it was is left behind.
  ~AnalysisRun() = default;

  void stop() { thread_.request_stop(); }

 private:
  void run(const std::stop_token& stop);
  void hand_over_earlier();

  const Settings settings_;
  ModelHolder& model_;
  const std::shared_ptr<spdlog::logger> log_;
  const StopSignals& signals_;
  const Listener listener_;
  LiveTap* const tap_;   // sees what goes by; may be null
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
