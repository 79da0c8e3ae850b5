// FFmpeg's reader of cameras (V4L2).
#pragma once

#include "core/media/ffmpeg_handles.h"

namespace longtake {

// Null where libavdevice is not installed. It is loaded when the first camera is opened, and stays: linked, it and the sound
// servers and toolkits that it needs would more than double the time in which every command starts. Any thread.
const AVInputFormat* camera_format();

}  // namespace longtake
