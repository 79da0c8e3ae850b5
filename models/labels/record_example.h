// Turns a stretch of video into an example of a label.
#pragma once

#include <stop_token>
#include <string>

#include "core/media/source.h"
#include "core/pipeline/stages.h"
#include "core/result.h"
#include "models/labels/label_set.h"

namespace longtake {

// Of all frames of `source`, evenly spread ones; a long stretch is not encoded frame by frame. Name, key and times of the
// example are left to the caller, the times as those of the first and the last frame. Errors: those of the source and the
// encoder; kInput (no frame at all).
Result<LabelExample> record_example(FrameSource& source, FrameEncoder& encoder, std::stop_token stop);

}  // namespace longtake
