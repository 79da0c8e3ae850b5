#include "app/studio/sessions_on_disk.h"

#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace longtake {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sessions_in(const fs::path& folder) {
  std::error_code ec;
  std::vector<fs::path> out;
  for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
    if (at->symlink_status(ec).type() == fs::file_type::directory) out.push_back(at->path());
  }
  return out;
}

std::int64_t bytes_in(const fs::path& folder) {
  std::error_code ec;
  std::int64_t out = 0;
  for (fs::recursive_directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
    std::error_code gone;
    if (at->symlink_status(gone).type() != fs::file_type::regular) continue;
    const auto bytes = at->file_size(gone);
    if (!gone) out += static_cast<std::int64_t>(bytes);
  }
  return out;
}

}  // namespace

SessionsOnDisk measure_sessions(const fs::path& folder) {
  SessionsOnDisk out;
  for (const fs::path& session : sessions_in(folder)) {
    ++out.sessions;
    out.bytes += bytes_in(session);
  }
  return out;
}

Result<SessionsOnDisk> clear_sessions(const fs::path& folder, const fs::path& kept) {
  SessionsOnDisk out;
  std::optional<Error> failed;
  for (const fs::path& session : sessions_in(folder)) {
    if (session.filename() == kept) continue;
    const std::int64_t bytes = bytes_in(session);
    std::error_code ec;
    fs::remove_all(session, ec);
    if (ec) {
      failed = Error{ErrorKind::kUnexpected,
                     fmt::format("cannot remove the session \"{}\": {}", session.string(), ec.message())};
      continue;
    }
    ++out.sessions;
    out.bytes += bytes;
  }
  if (failed) return *std::move(failed);
  return out;
}

}  // namespace longtake
