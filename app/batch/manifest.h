// The book of a batch: for every video what it was when it was watched, by what settings, and how that ended. One SQLite
// file, which a killed program leaves whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

struct sqlite3;

namespace longtake {

enum class VideoState { kWaiting, kRunning, kDone, kFailed, kNoVideo };
std::string_view name_of(VideoState state);

struct ManifestEntry {
  std::string path;  // as it was found, any bytes
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  // since the epoch
  std::string content_key;       // source_key(); empty: not a regular file
  std::string settings_key;      // of model and settings, see results_key()
  std::string result;            // file, below the manifest's folder
  VideoState state = VideoState::kWaiting;
  std::string error;  // the sentence, if it failed
  std::int64_t attempts = 0;
  std::int64_t frames = 0, events = 0, decode_errors = 0;
  double video_s = 0, took_s = 0;  // took_s: all attempts together
};

// Any thread. Errors of all calls: kUnexpected (it cannot be read or written).
class Manifest {
 public:
  // Makes it if it is not there. Also kUsage: another process has it open, or it is of a later version.
  static Result<std::unique_ptr<Manifest>> open(const std::filesystem::path& file);
  ~Manifest();

  Result<std::optional<ManifestEntry>> find(const std::string& path) const;
  Result<std::vector<ManifestEntry>> all() const;  // by path
  Result<void> put(const ManifestEntry& entry);    // adds it, or takes the place of the one of the same path

 private:
  Manifest(sqlite3* database, int lock, std::filesystem::path file)
      : database_(database), lock_(lock), file_(std::move(file)) {}
  Error failed() const;

  mutable std::mutex mutex_;
  sqlite3* database_;
  int lock_;  // a descriptor whose lock keeps other processes away
  std::filesystem::path file_;
};

}  // namespace longtake
