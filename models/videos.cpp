#include "models/videos.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/media/source.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

bool is_video(const std::string& path, std::stop_token stop, Error& why) {
  SourceSpec spec;
  spec.uri = path;
  auto source = open_source(spec, stop);
  if (!source) why = source.error();
  return source.ok();
}

}  // namespace

Result<std::vector<std::string>> videos_of(const std::vector<std::string>& given, const Note& note,
                                           std::stop_token stop) {
  std::vector<std::string> out;
  std::error_code ec;
  Error why;
  for (const std::string& input : given) {
    if (!fs::is_directory(input, ec)) {
      if (!is_video(input, stop, why)) return why;
      out.push_back(input);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry :
         fs::recursive_directory_iterator(input, fs::directory_options::skip_permission_denied, ec)) {
      if (entry.is_regular_file(ec)) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    for (std::string& path : found) {
      if (is_video(path, stop, why)) {
        out.push_back(std::move(path));
      } else if (why.kind == ErrorKind::kStopped) {
        return why;
      } else {
        note(fmt::format("left out: {}", why.message));
      }
    }
  }
  return out;
}

}  // namespace longtake
