#include "core/media/jpeg.h"

#include <cstddef>
#include <stdexcept>

#include "core/media/ffmpeg_handles.h"

namespace longtake {
namespace {

// To what JFIF files hold: full range, BT.601, which is what swscale makes of RGB for a "J" format.
AvFrame to_yuv(const RgbImage& image) {
  AvFrame frame(av_frame_alloc());
  if (!frame) return nullptr;
  frame->width = image.width;
  frame->height = image.height;
  frame->format = AV_PIX_FMT_YUVJ444P;
  frame->color_range = AVCOL_RANGE_JPEG;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return nullptr;
  const SwsScaler scaler(sws_getContext(image.width, image.height, AV_PIX_FMT_RGB24, image.width, image.height,
                                        AV_PIX_FMT_YUVJ444P, SWS_POINT | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr,
                                        nullptr, nullptr));
  if (!scaler) return nullptr;
  const std::uint8_t* const source[] = {image.pixels.data()};
  const int stride[] = {3 * image.width};
  if (sws_scale(scaler.get(), source, stride, 0, image.height, frame->data, frame->linesize) != image.height)
    return nullptr;
  return frame;
}

}  // namespace

Result<std::string> encode_jpeg(const RgbImage& image, int quality) {
  const auto pixels = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.width < 1 || image.height < 1 || image.pixels.size() != 3 * pixels) {
    throw std::invalid_argument("encode_jpeg: an image of another size than it says");
  }
  const Error failed{ErrorKind::kUnexpected,
                     "cannot write a picture as JPEG: FFmpeg has no encoder for it or no memory"};
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  const AvCodecContext encoder(avcodec_alloc_context3(codec));
  const AvPacket packet(av_packet_alloc());
  AvFrame frame = to_yuv(image);
  if (codec == nullptr || !encoder || !packet || !frame) return failed;
  encoder->width = image.width;
  encoder->height = image.height;
  encoder->pix_fmt = AV_PIX_FMT_YUVJ444P;
  encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->time_base = {1, 25};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;  // no version of the encoder in the file
  encoder->global_quality = FF_QP2LAMBDA * quality;
  frame->quality = encoder->global_quality;
  if (avcodec_open2(encoder.get(), codec, nullptr) < 0 || avcodec_send_frame(encoder.get(), frame.get()) < 0 ||
      avcodec_receive_packet(encoder.get(), packet.get()) < 0) {
    return failed;
  }
  return std::string(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
}

}  // namespace longtake
