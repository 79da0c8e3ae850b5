#include "core/media/versions.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>
}

namespace longtake {

std::string media_library_version() {
  const unsigned v = avcodec_version();
  return std::string(av_version_info()) + " (libavcodec " + std::to_string(AV_VERSION_MAJOR(v)) + "." +
         std::to_string(AV_VERSION_MINOR(v)) + "." + std::to_string(AV_VERSION_MICRO(v)) + ")";
}

}  // namespace longtake
