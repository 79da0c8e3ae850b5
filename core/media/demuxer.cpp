#include "core/media/demuxer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <thread>
#include <vector>

#include "core/media/camera_format.h"

namespace longtake {
namespace {

// For what FFmpeg is handed open: nothing in it looks like an ending, a pattern or a protocol.
constexpr char kNoName[] = "input";

std::string ffmpeg_reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

// Demuxers that make a picture of any text file, chosen by its ending.
bool paints_text(const AVInputFormat& format) {
  constexpr std::array<std::string_view, 5> names = {"tty", "bin", "xbin", "adf", "idf"};
  return std::ranges::find(names, format.name) != names.end();
}

bool is_picture_only(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

}  // namespace

Demuxer::Demuxer(const Location& location, const Patience& patience)
    : location_(location), patience_(patience) {}

Demuxer::~Demuxer() {
  format_.reset();
  avio_closep(&own_io_);
}

Error Demuxer::failure(const char* doing, int code, ErrorKind kind, const ErrorLog* log) const {
  const std::string what = std::string(doing) + ' ' + location_.quoted;
  if (interrupt_.stopped()) return {ErrorKind::kStopped, what + ": stopped"};
  if (interrupt_.timed_out()) {
    const auto seconds = std::to_string(static_cast<int>(interrupt_.limit_s() + 0.5));
    return {kind, what + ": nothing came for " + seconds + " s"};
  }
  // FFmpeg's own sentence says more than its error code; a URL's may hold what belongs to nobody.
  const std::string line = log && !remote() ? log->last_line() : "";
  if (!line.empty()) return {kind, what + ": " + line};
  if (code == AVERROR_INVALIDDATA) return {kind, what + ": it is no video format that is known here"};
  return {kind, what + ": " + ffmpeg_reason(code)};
}

Result<std::unique_ptr<Demuxer>> Demuxer::open(const Location& location, const Patience& patience,
                                               ErrorLog& log, std::stop_token stop) {
  const ErrorLog::Scope scope(log);
  std::unique_ptr<Demuxer> demuxer(new Demuxer(location, patience));
  if (auto done = demuxer->open_format(std::move(stop), log); !done) return std::move(done).error();
  if (auto done = demuxer->choose_stream(); !done) return std::move(done).error();
  return demuxer;
}

Result<void> Demuxer::open_format(std::stop_token stop, ErrorLog& log) {
  using Kind = Location::Kind;
  std::optional<double> limit;
  if (remote() || camera()) limit = patience_.open_s;
  if (location_.kind == Kind::kPipe) limit = patience_.read_s;
  interrupt_.arm(std::move(stop), limit);

  AVFormatContext* raw = avformat_alloc_context();
  if (!raw) throw std::bad_alloc();
  format_.reset(raw);
  raw->interrupt_callback = {[](void* self) { return static_cast<Interrupt*>(self)->due() ? 1 : 0; },
                             &interrupt_};

  AvOptions options;
  const AVInputFormat* format = nullptr;
  std::string url = remote() ? location_.path : "file:" + location_.path;
  // A play list in a file may not open a socket, and none from the net a file of this machine.
  if (remote() || camera()) {
    options.set("protocol_blacklist", "file,concat,concatf,subfile,pipe,fd,unix,cache,async");
  } else {
    options.set("protocol_whitelist", "file,crypto,data");
  }

  switch (location_.kind) {
    case Kind::kUrl:
      // Of what comes over UDP, a busy network loses a part.
      if (location_.path.starts_with("rtsp")) options.set("rtsp_flags", "prefer_tcp");
      break;
    case Kind::kFile:
      // FFmpeg takes these characters for a pattern of image names, unless it is handed an open file without
      // a name.
      if (location_.path.find_first_of("%*?{[") == std::string::npos) break;
      if (const int code =
              avio_open2(&own_io_, url.c_str(), AVIO_FLAG_READ, &raw->interrupt_callback, nullptr);
          code < 0) {
        return failure("cannot open", code, ErrorKind::kInput, nullptr);
      }
      raw->pb = own_io_;
      url = kNoName;
      break;
    case Kind::kPipe: {
      auto pipe = PipeInput::open(location_, interrupt_);
      if (!pipe) return std::move(pipe).error();
      pipe_ = std::move(*pipe);
      raw->pb = pipe_->context();
      url = kNoName;
      break;
    }
    case Kind::kCamera:
      format = camera_format();
      if (!format) {
        return Error{ErrorKind::kInput, "cannot open " + location_.quoted + ": cameras need libavdevice, which is not installed"};
      }
      // Reads that wait would wait for ever for a camera that sends nothing.
      raw->flags |= AVFMT_FLAG_NONBLOCK;
      url = location_.path;
      break;
    case Kind::kSequence:
      format = av_find_input_format("image2");
      options.set("pattern_type", "sequence");
      options.set("start_number", location_.first_number);
      break;
  }

  format_.release();  // avformat_open_input frees it when it fails
  int code = avformat_open_input(&raw, url.c_str(), format, options.address());
  format_.reset(raw);
  if (code < 0) return failure("cannot open", code, ErrorKind::kInput, &log);
  if (paints_text(*raw->iformat)) {
    return Error{ErrorKind::kInput, "cannot open " + location_.quoted + ": it is text, not video"};
  }

  std::vector<AVDictionary*> stream_options(
      raw->nb_streams);  // FFmpeg wants one for each stream, in a plain array
  for (auto& each : stream_options) av_dict_set_int(&each, "max_pixels", kMostPixels, 0);
  code = avformat_find_stream_info(raw, stream_options.data());
  for (auto& each : stream_options) av_dict_free(&each);
  if (interrupt_.stopped() || interrupt_.timed_out())
    return failure("cannot open", AVERROR_EXIT, ErrorKind::kInput, nullptr);
  if (code < 0) return failure("cannot open", code, ErrorKind::kInput, &log);
  return {};
}

Result<void> Demuxer::choose_stream() {
  const auto refusal = [this](const std::string& why) {
    return Error{ErrorKind::kInput, "cannot open " + location_.quoted + ": " + why};
  };
  const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best == AVERROR_STREAM_NOT_FOUND) return refusal("no video stream");
  if (best < 0) return refusal(ffmpeg_reason(best));

  // Which of several films is meant: the first one that its maker marked as the default, as players have it. Where
  // nothing is marked (the variants of a stream), FFmpeg's choice by size and rate.
  std::optional<unsigned> first, marked;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO || is_picture_only(stream)) continue;
    if (!first) first = i;
    if (!marked && (stream.disposition & AV_DISPOSITION_DEFAULT) != 0) marked = i;
  }
  if (!first) return refusal("no video stream (only a cover picture)");
  const unsigned fallback = is_picture_only(*format_->streams[best]) ? *first : static_cast<unsigned>(best);
  index_ = marked.value_or(fallback);
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (i != index_) format_->streams[i]->discard = AVDISCARD_ALL;
  }
  return {};
}

Result<Demuxer::Read> Demuxer::read(AVPacket& packet, std::stop_token stop) {
  constexpr auto kRetryPause = std::chrono::milliseconds(5);
  interrupt_.arm(std::move(stop), waits() ? std::optional(patience_.read_s) : std::nullopt);
  while (true) {
    if (interrupt_.due()) return failure("cannot go on reading", AVERROR_EXIT, ErrorKind::kSource, nullptr);
    av_packet_unref(&packet);
    const int code = av_read_frame(format_.get(), &packet);
    if (code >= 0) {
      interrupt_.restart_clock();
      if (packet.stream_index != static_cast<int>(index_)) continue;
      ++packets_;
      return Read::kPacket;
    }
    if (code == AVERROR(EAGAIN)) {
      std::this_thread::sleep_for(kRetryPause);
      continue;
    }
    if (interrupt_.stopped() || interrupt_.timed_out()) {
      return failure("cannot go on reading", code, ErrorKind::kSource, nullptr);
    }
    // A demuxer may say "end" for anything; its input knows better.
    const int input_error = format_->pb && format_->pb->error != AVERROR_EOF ? format_->pb->error : 0;
    const int reason = code == AVERROR_EOF ? input_error : code;
    if (reason < 0 && (remote() || camera()) && reason != AVERROR_INVALIDDATA) {
      return failure("cannot go on reading", reason, ErrorKind::kSource, nullptr);
    }
    const bool hole = location_.kind == Location::Kind::kSequence && packets_ < location_.pictures;
    return reason < 0 || hole ? Read::kTornEnd : Read::kEnd;
  }
}

bool Demuxer::seek(std::int64_t pts, std::stop_token stop) {
  interrupt_.arm(std::move(stop), waits() ? std::optional(patience_.read_s) : std::nullopt);
  return av_seek_frame(format_.get(), static_cast<int>(index_), pts, AVSEEK_FLAG_BACKWARD) >= 0;
}

}  // namespace longtake
