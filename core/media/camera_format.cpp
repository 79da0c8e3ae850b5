#include "core/media/camera_format.h"

#include <dlfcn.h>

extern "C" {
#include <libavdevice/version_major.h>
}

#define LONGTAKE_TEXT_OF(number) #number
#define LONGTAKE_LIBRARY(number) "libavdevice.so." LONGTAKE_TEXT_OF(number)

namespace longtake {

const AVInputFormat* camera_format() {
  static const AVInputFormat* const format = []() -> const AVInputFormat* {
    void* library = dlopen(LONGTAKE_LIBRARY(LIBAVDEVICE_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void* enlist = library ? dlsym(library, "avdevice_register_all") : nullptr;
    if (!enlist) return nullptr;
    reinterpret_cast<void (*)()>(enlist)();
    return av_find_input_format("video4linux2");
  }();
  return format;
}

}  // namespace longtake
