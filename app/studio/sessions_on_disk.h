// What all sessions take of the disk, see session_folder.h. Any thread; takes as long as looking at all their files.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/result.h"

namespace longtake {

struct SessionsOnDisk {
  std::int64_t sessions = 0, bytes = 0;
};

SessionsOnDisk measure_sessions(const std::filesystem::path& folder);

// Removes the sessions below `folder` but the one called `kept`; says what was removed. Errors: kUnexpected, if one of them
// could not be removed as a whole; the others are gone then.
Result<SessionsOnDisk> clear_sessions(const std::filesystem::path& folder, const std::filesystem::path& kept);

}  // namespace longtake
