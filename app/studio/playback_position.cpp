#include "app/studio/playback_position.h"

#include <fstream>
#include <system_error>

namespace longtake {

std::optional<std::int64_t> read_playback_position(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::int64_t pts = 0;
  // The end of the line is there if the number is whole.
  if (!(in >> pts) || in.get() != '\n') return std::nullopt;
  return pts;
}

void write_playback_position(const std::filesystem::path& file, std::optional<std::int64_t> pts) {
  std::error_code ec;
  if (!pts) {
    std::filesystem::remove(file, ec);
    return;
  }
  std::filesystem::create_directories(file.parent_path(), ec);
  std::ofstream(file) << *pts << '\n';
}

}  // namespace longtake
