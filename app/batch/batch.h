// Many videos, one after the other or some side by side, each with a result of its own; what is done is known in the
// manifest, so that a batch that was killed goes on where it was, in the middle of a video too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "app/batch/inputs.h"
#include "app/batch/manifest.h"
#include "app/commands.h"
#include "core/pipeline/stages.h"
#include "core/result.h"
#include "models/model.h"

namespace longtake {

struct BatchOptions {
  std::filesystem::path folder;  // of results and manifest
  std::string name_pattern;      // of result_names(); empty: the usual one
  int jobs = 1;                  // videos side by side; they share the threads of the settings
  bool retry_failed = false;     // else what failed and has not changed since is not tried again
  bool fail_fast = false;        // the first video that fails ends the batch
  bool memories = false;         // beside every result NAME.ltm, the memory at its end
  bool look_only = false;        // nothing is made or changed; run() is not for this
};

// Calls come from several threads, one at a time.
struct BatchListener {
  std::function<void(const ManifestEntry&)> begun, ended;
  std::function<void(const FrameTime&)> frame;
};

// A video that is to be watched, with what the manifest knows of it.
struct BatchTask {
  BatchInput input;
  ManifestEntry entry;
  bool due = false;  // false: nothing is to be done, it is as the entry says
};

class Batch {
 public:
  // Reads the manifest and looks at every file. `settings_key`: of results_key(). Errors: those of result_names() and Manifest.
  static Result<std::unique_ptr<Batch>> plan(std::vector<BatchInput> inputs, std::string settings_key,
                                             BatchOptions options);

  const std::vector<BatchTask>& tasks() const noexcept { return tasks_; }

  // Watches what is due; afterwards entries say how it went. What cannot be read (kInput, kSource) fails alone; anything else, a full
  // disk for one, ends the batch. Errors: that one; kInput with fail_fast; kStopped.
  Result<void> run(const Context& context, const std::shared_ptr<const Model>& model, const BatchListener& listener,
                   std::stop_token stop);

 private:
  explicit Batch(BatchOptions options) : options_(std::move(options)) {}
  Result<void> watch(BatchTask& task, const Context& context, const std::shared_ptr<const Model>& model,
                     const BatchListener& listener, std::mutex& telling, std::stop_token stop);

  BatchOptions options_;
  std::unique_ptr<Manifest> manifest_;  // null: there is none yet
  std::vector<BatchTask> tasks_;
};

}  // namespace longtake
