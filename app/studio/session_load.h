// What an earlier session left of a video: the person's project, and the result as far as it came. Read in the background.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/settings.h"
#include "app/studio/project_file.h"
#include "core/records/records.h"

namespace longtake {

// The files of a session, see session_folder.h.
struct SessionFiles {
  std::filesystem::path folder;
  std::string start{};  // start_key() of the memory that the analysis starts from

  std::string video() const { return folder.filename().string(); }        // by what it is known
  std::filesystem::path position() const { return folder / "position"; }  // see playback_position.h
  std::filesystem::path project() const { return folder / kProjectFile; }
  // Another memory to start from makes another result, and neither goes on from the other's checkpoint.
  std::filesystem::path result() const { return of_start("result", ".jsonl"); }
  std::filesystem::path checkpoint() const { return result() += ".checkpoint"; }  // these three as Batch names them
  std::filesystem::path learned() const { return of_start("result", ".ltm"); }
  std::filesystem::path labels() const { return folder / "session.labels"; }
  std::filesystem::path edited() const { return of_start("edited", ".jsonl"); }

  static std::string start_key(const std::filesystem::path& memory);  // empty: of none

 private:
  std::filesystem::path of_start(const char* name, const char* type) const {
    return folder / (name + (start.empty() ? std::string() : '-' + start) + type);
  }
};

class ModelHolder;

class SessionLoad {
 public:
  struct Done {
    enum class Result {
      kNone,
      kPart,  // and a checkpoint to continue from
      kComplete,
      kOther,  // complete or not, it was made with another model or other settings
    };
    Result result = Result::kNone;
    std::optional<std::int64_t> state_bytes;  // of what was learned; known of a complete one
    std::string problem;                      // one sentence, if what is there could not be read
  };
  // All on the load's thread, one call at a time, in this order.
  struct Listener {
    // left_at: the pts of the frame that was shown last, if it was not the first.
    std::function<void(SessionFiles, LoadedProject, std::optional<std::int64_t> left_at)> project;
    std::function<void(std::vector<Record>)> records;  // may wait: the load waits too
    std::function<void(Done)> done;
  };

  // settings and model: as those of an analysis. `model` has to outlive this.
  SessionLoad(Settings settings, ModelHolder& model, Listener listener);
  ~SessionLoad() = default;

 private:
  void run(const std::stop_token& stop);
  Done load(const SessionFiles& files, const std::stop_token& stop);
  bool is_of_these_settings(const HeaderRecord& header) const;

  const Settings settings_;
  ModelHolder& model_;
  const Listener listener_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
