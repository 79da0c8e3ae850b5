// Bytes from standard input, a named pipe or a device, for FFmpeg to read. Private to core/media.
#pragma once

#include <memory>

#include "core/media/ffmpeg_handles.h"
#include "core/media/interrupt.h"
#include "core/media/location.h"
#include "core/result.h"

namespace longtake {

// FFmpeg's own pipe protocol blocks in read() where no stop request reaches it; this one waits with poll().
// Its context cannot seek. The interrupt's clock starts again with every byte that comes.
class PipeInput {
 public:
  // `interrupt` must outlive it.
  static Result<std::unique_ptr<PipeInput>> open(const Location& location, Interrupt& interrupt);
  ~PipeInput();
  PipeInput(const PipeInput&) = delete;
  PipeInput& operator=(const PipeInput&) = delete;

  AVIOContext* context() noexcept { return context_; }

 private:
  PipeInput(int descriptor, bool owned, Interrupt& interrupt);
  static int read(void* self, std::uint8_t* to, int size);

  int descriptor_;
  bool owned_;
  Interrupt& interrupt_;
  AVIOContext* context_ = nullptr;
};

}  // namespace longtake
