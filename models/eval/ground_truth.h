// What is true of videos, as people wrote it down: CSV with a line of names first, fields in quotes where they hold commas.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

struct TimeSpan {
  double from = 0;  // seconds
  double to = 0;
};

// video,type,start_frame,end_frame: of a cut both are the first frame of the new shot; the end of anything else is
// exclusive. Type flash_no_boundary is no boundary. Frames are those of the whole video. A file may have start_s,end_s
// instead.
struct TrueBoundary {
  std::string video;  // file name without folders
  std::string type;
  std::int64_t start_frame = 0;
  std::int64_t end_frame = 0;
  std::optional<TimeSpan> seconds{};  // instead of frames
  std::string path{};                 // of the video, as the file has it
};

// video,start_frame,end_frame or video,start_s,end_s: an abnormal stretch, the end exclusive. One of no length says no more
// than that the video is judged.
struct TrueAnomaly {
  std::string video;
  std::int64_t start_frame = 0;
  std::int64_t end_frame = 0;
  std::optional<TimeSpan> seconds{};
  std::string path{};
};

// video,start_s,end_s,label
struct TrueEvent {
  std::string video;
  double start_s = 0;
  double end_s = 0;
  std::string label;
  std::string path{};  // of the video, as the file has it
};

// `split`: only rows with this in their column split; empty: all. `column`: where the label stands. Errors: kInput, with
// the line; also if no row is left.
Result<std::vector<TrueBoundary>> read_boundaries(const std::filesystem::path& csv, const std::string& split = "");
Result<std::vector<TrueAnomaly>> read_anomalies(const std::filesystem::path& csv, const std::string& split = "");
Result<std::vector<TrueEvent>> read_labels(const std::filesystem::path& csv, const std::string& column = "label",
                                           const std::string& split = "");

// Rows of a truth by their video, in the order of the file.
template <class Row>
std::map<std::string, std::vector<Row>> by_video(const std::vector<Row>& rows) {
  std::map<std::string, std::vector<Row>> out;
  for (const Row& row : rows) out[row.video].push_back(row);
  return out;
}

}  // namespace longtake
