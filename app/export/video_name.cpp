#include "app/export/video_name.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "app/export/text.h"

namespace longtake {

namespace fs = std::filesystem;

std::string video_url(const std::string& video, const std::string& source) {
  std::error_code ec;
  if (!video.empty() && fs::is_regular_file(video, ec)) {
    const fs::path whole = fs::absolute(video, ec).lexically_normal();
    if (!ec) return "file://" + url_path(whole.string());
  }
  return url_path(file_name_of(source));
}

std::string file_name_of(const std::string& source) { return fs::path(source).filename().string(); }

std::string_view mime_type_of(const std::string& source) {
  std::string ending = fs::path(source).extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".mp4" || ending == ".m4v") return "video/mp4";
  if (ending == ".mov") return "video/quicktime";
  if (ending == ".mpg" || ending == ".mpeg") return "video/mpeg";
  if (ending == ".webm") return "video/webm";
  if (ending == ".avi") return "video/x-msvideo";
  return "video/*";
}

}  // namespace longtake
