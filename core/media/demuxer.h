// One open input and the packets of one video stream. Private to core/media.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "core/media/ffmpeg_handles.h"
#include "core/media/ffmpeg_log.h"
#include "core/media/interrupt.h"
#include "core/media/location.h"
#include "core/media/pipe_input.h"
#include "core/result.h"

namespace longtake {

// Pictures of more pixels than this (8192 x 8192) are refused: nothing real has them, and a torn header may
// claim any.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;

struct Patience {
  double open_s = 10;  // for URLs and cameras
  double read_s = 30;  // for these and pipes
};

class Demuxer {
 public:
  enum class Read {
    kPacket,
    kEnd,
    kTornEnd,  // the rest cannot be read, or is not there
  };

  // Finds the streams and chooses a film among them, never a cover picture. `log` must outlive it.
  // Errors: kInput, kStopped.
  static Result<std::unique_ptr<Demuxer>> open(const Location& location, const Patience& patience,
                                               ErrorLog& log, std::stop_token stop);
  ~Demuxer();
  Demuxer(const Demuxer&) = delete;
  Demuxer& operator=(const Demuxer&) = delete;

  // The next packet of the chosen stream. Errors: kSource (the other side is silent or gone), kStopped.
  Result<Read> read(AVPacket& packet, std::stop_token stop);

  // To the last key frame whose time is not after `pts`, as far as the container knows. False if it cannot.
  bool seek(std::int64_t pts, std::stop_token stop);

  const AVFormatContext& format() const noexcept { return *format_; }
  AVStream& stream() const noexcept { return *format_->streams[index_]; }

 private:
  Demuxer(const Location& location, const Patience& patience);
  Result<void> open_format(std::stop_token stop, ErrorLog& log);
  Result<void> choose_stream();
  Error failure(const char* doing, int code, ErrorKind kind, const ErrorLog* log) const;
  bool remote() const { return location_.kind == Location::Kind::kUrl; }
  bool camera() const { return location_.kind == Location::Kind::kCamera; }
  bool waits() const { return remote() || camera() || location_.kind == Location::Kind::kPipe; }

  Location location_;
  Patience patience_;
  Interrupt interrupt_;
  std::unique_ptr<PipeInput> pipe_;
  AVIOContext* own_io_ = nullptr;  // where a file is opened by hand, see open_format
  AvFormatContext format_;
  unsigned index_ = 0;
  std::int64_t packets_ = 0;
};

}  // namespace longtake
