// A camera where there is none: preloaded (LD_PRELOAD), it answers for the V4L2 device named by FAKE_CAMERA. 320x180 YUYV at 25
// frames a second. While FAKE_CAMERA.silent exists nothing comes; while FAKE_CAMERA.gone exists it is unplugged.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kWidth = 320, kHeight = 180, kBytes = 2 * kWidth * kHeight;
constexpr int kApart = 1 << 17;  // buffers begin at pages
constexpr unsigned kMostBuffers = 8;
constexpr long long kFrame_us = 40000;

int camera = -1;
std::deque<int>& queued() {
  static std::deque<int> buffers;
  return buffers;
}
long long next_us = 0;
unsigned sequence = 0;

long long now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const char* ours() { return std::getenv("FAKE_CAMERA"); }

bool told(const char* what) { return access((std::string(ours()) + '.' + what).c_str(), F_OK) == 0; }

int fail(int code) {
  errno = code;
  return -1;
}

int open_camera() {
  if (told("gone")) return fail(ENODEV);
  camera = memfd_create("camera", MFD_CLOEXEC);
  if (ftruncate(camera, off_t{kMostBuffers} * kApart) != 0) return -1;
  queued().clear();
  next_us = now_us();
  return camera;
}

bool opens_camera(const char* path) { return ours() != nullptr && std::string_view(path) == ours(); }

void paint(int buffer) {
  static std::vector<unsigned char> picture(kBytes, 128);
  for (int at = 0; at < kWidth * kHeight; ++at) {
    picture[2 * at] = static_cast<unsigned char>(at % kWidth + 2 * (at / kWidth) + 3 * static_cast<int>(sequence));
  }
  if (pwrite(camera, picture.data(), kBytes, off_t{buffer} * kApart) != kBytes) std::abort();
}

int take(v4l2_buffer& buffer) {
  if (told("gone")) return fail(ENODEV);
  if (told("silent")) next_us = now_us() + kFrame_us;
  if (queued().empty() || now_us() < next_us) return fail(EAGAIN);
  const int index = queued().front();
  queued().pop_front();
  paint(index);
  buffer.index = static_cast<unsigned>(index);
  buffer.bytesused = kBytes;
  buffer.sequence = sequence++;
  buffer.flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  buffer.timestamp.tv_sec = next_us / 1000000;
  buffer.timestamp.tv_usec = next_us % 1000000;
  next_us += kFrame_us;
  return 0;
}

template <class T>
T& as(void* argument) {
  return *static_cast<T*>(argument);
}

int answer(unsigned request, void* argument) {
  switch (request) {
    case VIDIOC_QUERYCAP:
      as<v4l2_capability>(argument) = {};
      as<v4l2_capability>(argument).capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      return 0;
    case VIDIOC_G_INPUT: as<int>(argument) = 0; return 0;
    case VIDIOC_ENUMINPUT: as<v4l2_input>(argument).std = 0; return 0;
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT: {
      v4l2_pix_format& picture = as<v4l2_format>(argument).fmt.pix;
      picture.width = kWidth;
      picture.height = kHeight;
      picture.pixelformat = V4L2_PIX_FMT_YUYV;
      picture.field = V4L2_FIELD_NONE;
      picture.bytesperline = 2 * kWidth;
      picture.sizeimage = kBytes;
      return 0;
    }
    case VIDIOC_G_PARM: {
      v4l2_captureparm& how = as<v4l2_streamparm>(argument).parm.capture;
      how.capability = V4L2_CAP_TIMEPERFRAME;
      how.timeperframe = {1, 25};
      return 0;
    }
    case VIDIOC_REQBUFS:
      as<v4l2_requestbuffers>(argument).count = std::min(as<v4l2_requestbuffers>(argument).count, kMostBuffers);
      return 0;
    case VIDIOC_QUERYBUF:
      as<v4l2_buffer>(argument).length = kBytes;
      as<v4l2_buffer>(argument).m.offset = as<v4l2_buffer>(argument).index * kApart;
      return 0;
    case VIDIOC_QBUF: queued().push_back(static_cast<int>(as<v4l2_buffer>(argument).index)); return 0;
    case VIDIOC_DQBUF: return take(as<v4l2_buffer>(argument));
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF: return 0;
    default: return fail(EINVAL);
  }
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (opens_camera(path)) return open_camera();
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  if (opens_camera(path)) return open_camera();
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  return openat64(AT_FDCWD, path, flags, mode);
}

int ioctl(int at, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (at >= 0 && at == camera) return answer(static_cast<unsigned>(request), argument);
  static const auto next = reinterpret_cast<int (*)(int, unsigned long, ...)>(dlsym(RTLD_NEXT, "ioctl"));
  return next(at, request, argument);
}

}  // extern "C"
