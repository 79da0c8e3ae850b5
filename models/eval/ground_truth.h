// What is true of videos, as people wrote it down: CSV with a line of names first, fields in quotes where they hold commas.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

// video,type,start_frame,end_frame: of a cut both are the first frame of the new shot; the end of anything else is
// exclusive. Type flash_no_boundary is no boundary.
struct TrueBoundary {
  std::string video;  // file name without folders
  std::string type;
  std::int64_t start_frame = 0;
  std::int64_t end_frame = 0;
};
// Errors: kInput, with the line.
Result<std::vector<TrueBoundary>> read_boundaries(const std::filesystem::path& csv);

// video,start_s,end_s,label
struct TrueEvent {
  std::string video;  // likewise
  double start_s = 0;
  double end_s = 0;
  std::string label;
};
Result<std::vector<TrueEvent>> read_labels(const std::filesystem::path& csv);

}  // namespace longtake
