#include "core/media/pipe_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace longtake {
namespace {

constexpr int kBufferBytes = 64 * 1024;
constexpr int kPollMilliseconds = 50;

}  // namespace

Result<std::unique_ptr<PipeInput>> PipeInput::open(const Location& location, Interrupt& interrupt) {
  if (location.path.empty()) return std::unique_ptr<PipeInput>(new PipeInput(STDIN_FILENO, false, interrupt));
  // A plain open() of a named pipe would wait for its writer, beyond the reach of a stop request.
  const int descriptor = ::open(location.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    return Error{ErrorKind::kInput,
                 "cannot open " + location.quoted + ": " + std::generic_category().message(errno)};
  }
  return std::unique_ptr<PipeInput>(new PipeInput(descriptor, true, interrupt));
}

PipeInput::PipeInput(int descriptor, bool owned, Interrupt& interrupt)
    : descriptor_(descriptor), owned_(owned), interrupt_(interrupt) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer)
    context_ = avio_alloc_context(buffer, kBufferBytes, 0, this, &PipeInput::read, nullptr, nullptr);
  if (!context_) {
    av_free(buffer);
    throw std::bad_alloc();
  }
}

PipeInput::~PipeInput() {
  av_freep(&context_->buffer);  // FFmpeg may have replaced ours by a larger one
  avio_context_free(&context_);
  if (owned_) ::close(descriptor_);
}

int PipeInput::read(void* self, std::uint8_t* to, int size) {
  auto& pipe = *static_cast<PipeInput*>(self);
  while (!pipe.interrupt_.due()) {
    pollfd wait{pipe.descriptor_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, kPollMilliseconds);
    if (ready < 0 && errno != EINTR) return AVERROR(errno);
    if (ready <= 0) continue;
    const auto bytes = ::read(pipe.descriptor_, to, static_cast<std::size_t>(size));
    if (bytes > 0) {
      pipe.interrupt_.restart_clock();
      return static_cast<int>(bytes);
    }
    if (bytes == 0) return AVERROR_EOF;
    if (errno != EAGAIN && errno != EINTR) return AVERROR(errno);
  }
  return AVERROR_EXIT;
}

}  // namespace longtake
