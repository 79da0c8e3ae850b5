// FFmpeg's C handles with owners. Private to core/media: the only header of core/ that shows FFmpeg's types.
#pragma once

#include <memory>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

namespace longtake {

// FFmpeg frees either a pointer or, to set it to null, the address of one; this deleter takes both kinds.
template <auto Free>
struct AvDelete {
  template <class T>
  void operator()(T* p) const noexcept {
    if constexpr (requires { Free(&p); }) {
      Free(&p);
    } else {
      Free(p);
    }
  }
};

using AvFrame = std::unique_ptr<AVFrame, AvDelete<av_frame_free>>;
using AvPacket = std::unique_ptr<AVPacket, AvDelete<av_packet_free>>;
using AvCodecContext = std::unique_ptr<AVCodecContext, AvDelete<avcodec_free_context>>;
using AvFormatContext = std::unique_ptr<AVFormatContext, AvDelete<avformat_close_input>>;
using SwsScaler = std::unique_ptr<SwsContext, AvDelete<sws_freeContext>>;

// Options for avformat_open_input and friends, which hand back those they did not know.
class AvOptions {
 public:
  AvOptions() = default;
  ~AvOptions() { av_dict_free(&dict_); }
  AvOptions(const AvOptions&) = delete;
  AvOptions& operator=(const AvOptions&) = delete;

  void set(const char* key, const char* value) { av_dict_set(&dict_, key, value, 0); }
  void set(const char* key, std::int64_t value) { av_dict_set_int(&dict_, key, value, 0); }
  AVDictionary** address() noexcept { return &dict_; }

 private:
  AVDictionary* dict_ = nullptr;
};

}  // namespace longtake
