// When the frames of a video are shown.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

// Of all frames of a video, by decoding it: seconds, increasing. Errors: those of open_source and of FrameSource.
Result<std::vector<double>> frame_times(const std::string& video, std::stop_token stop);

}  // namespace longtake
