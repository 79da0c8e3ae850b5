// Where a project lies: project.json in the session's folder.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "app/studio/edits.h"
#include "core/result.h"

namespace longtake {

inline constexpr const char* kProjectFile = "project.json";

struct LoadedProject {
  Edits edits;
  std::string problem;  // one sentence, if there was a file that could not be used; it lies beside, under another name
};
// Of no file: nothing edited. Any thread.
LoadedProject load_project(const std::filesystem::path& file, std::string_view video);

// Writes the newest text that it was given, on a thread of its own, each time as a whole.
class ProjectSaver {
 public:
  // `failed`: on that thread.
  ProjectSaver(std::filesystem::path file, std::function<void(const Error&)> failed);
  // When the last text is on the disk.
  ~ProjectSaver();

  void save(std::string text);

 private:
  void run(const std::stop_token& stop);

  const std::filesystem::path file_;
  const std::function<void(const Error&)> failed_;
  std::mutex mutex_;
  std::condition_variable_any given_;
  std::optional<std::string> text_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
