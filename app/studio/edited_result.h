// A result as a person left it.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "app/studio/put_together.h"
#include "core/result.h"

namespace longtake {

// Writes `to` with the header, frames and breaks of the result `from`, but with these events and segments (in the order of
// time); the header's options say that it was edited. What was only an estimate is made exact by the frames: which frame a pts
// is, where a segment ends, how surprising it was. An event that a person named is of that kind. `from` may still be growing.
// Any thread; takes as long as reading the file twice. Errors: kInput (`from` cannot be read), kUnexpected (`to` cannot be
// written), kStopped; `to` is as it was then.
Result<void> write_edited_result(const std::filesystem::path& from, const std::filesystem::path& to,
                                 std::vector<ListedEvent> events, std::vector<ListedSegment> segments,
                                 const std::stop_token& stop = {});

}  // namespace longtake
