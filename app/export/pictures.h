// Small pictures of a video at given moments.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "app/export/outline.h"
#include "core/media/picture.h"
#include "core/result.h"

namespace longtake {

// For each time stamp, which rise, the first frame at or after it, in its own shape with its longer side `size` pixels long;
// none where the video has ended. Errors: those of open_source and FrameSource::next; kInput if this cannot be the video
// that the outline is of.
Result<std::vector<std::optional<RgbImage>>> pictures_at(const std::string& video, const Outline& outline,
                                                         std::span<const std::int64_t> pts, int size,
                                                         std::stop_token stop);

// `most` of `count` things, evenly spread: their numbers, rising.
std::vector<std::size_t> spread(std::size_t count, std::size_t most);

}  // namespace longtake
