// Makes exports away from the window: previews, of which only the last that was asked for counts, and files.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "app/export/request.h"
#include "core/result.h"

namespace longtake {

class ExportWorker {
 public:
  struct Wish {
    ExportRequest request;
    std::filesystem::path output;  // empty: a preview
  };
  // Called on the worker's thread with the wish and what came of it; a file is written by then. Not for what was dropped.
  using Done = std::function<void(Wish wish, Result<Exported> exported)>;

  // Makes what is exported, before anything else; again, as long as it fails.
  using Prepare = std::function<Result<void>(const std::stop_token&)>;

  explicit ExportWorker(Done done, Prepare prepare = nullptr);
  // Takes no longer than the decoder takes for a frame, or a writer for what it has begun.
  ~ExportWorker();

  // Any thread. A preview that is not made yet is given up for another; a file that is not begun, for another file.
  void ask(Wish wish);

 private:
  void run(const std::stop_token& stop);
  Result<void> prepare(const std::stop_token& stop);
  static Result<Exported> fulfil(const Wish& wish, const std::stop_token& stop);

  const Done done_;
  Prepare prepare_;  // none: it is done
  std::mutex mutex_;
  std::condition_variable_any wished_;
  std::optional<Wish> next_file_, next_preview_;
  std::stop_source preview_;  // of the preview that is being made
  std::jthread thread_;       // last: it uses all of the above
};

}  // namespace longtake
