// What a result says of single frames, read back from its file while it is being written or later: a fixed number of bytes
// however long the result is, and none of the reading on the window's thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/records/records.h"

namespace longtake {

class FrameRecords {
 public:
  // Called on this one's own thread, for the last wish only; nothing where the file has no such frame (yet).
  using Found = std::function<void(std::int64_t pts, std::optional<FrameRecord>)>;

  // `most`: places in the file that are remembered, of every 2^n-th frame; a frame is found from the one before it.
  FrameRecords(std::filesystem::path result, Found found, std::size_t most = std::size_t{1} << 16);

  const std::filesystem::path& path() const noexcept { return path_; }
  // Any thread. A wish that nobody has begun with is replaced.
  void want(std::int64_t pts);

 private:
  struct Place {
    std::int64_t pts = 0;
    std::int64_t offset = 0;  // bytes
  };
  void run(const std::stop_token& stop);
  void look_through(std::int64_t pts, const std::stop_token& stop);
  void remember(Place place);
  std::optional<FrameRecord> read(std::int64_t pts);
  bool whole_line(std::string& line);

  const std::filesystem::path path_;
  const Found found_;
  const std::size_t most_;

  // Of the thread.
  std::ifstream file_;
  std::vector<Place> places_;
  std::int64_t frames_ = 0, stride_ = 1;
  std::int64_t seen_ = 0;      // bytes that were looked through
  std::int64_t last_pts_ = 0;  // of the last frame in them

  std::mutex mutex_;
  std::condition_variable_any wished_;
  std::optional<std::int64_t> wish_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
