#include "core/media/picture_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string_view>

#include "core/media/orientation.h"

namespace longtake {
namespace {

// A decoder that goes on failing without asking for more input would keep us here for ever.
constexpr int kMostFailures = 64;

// A live stream that never decodes would keep us here for ever too. Longer than any usual distance of key
// frames.
constexpr int kMostPacketsWithoutPicture = 3000;

int get_zeroed_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
  const int code = avcodec_default_get_buffer2(context, frame, flags);
  for (std::size_t i = 0; code >= 0 && i < std::size(frame->buf) && frame->buf[i]; ++i) {
    std::memset(frame->buf[i]->data, 0, frame->buf[i]->size);
  }
  return code;
}

void zero_all_buffers(AVCodecContext& decoder) {
  decoder.get_buffer2 = get_zeroed_buffer;
#if LIBAVCODEC_VERSION_MAJOR < 60  // later ones take it for granted
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  decoder.thread_safe_callbacks = 1;
#pragma GCC diagnostic pop
#endif
}

Error cannot_open(const Location& location, const std::string& why) {
  return {ErrorKind::kInput, "cannot open " + location.quoted + ": " + why};
}

bool threads_tell_of_damage(AVCodecID id) {
  constexpr std::array tested = {AV_CODEC_ID_H264,   AV_CODEC_ID_VP8,   AV_CODEC_ID_VP9,
                                 AV_CODEC_ID_AV1,    AV_CODEC_ID_MPEG4, AV_CODEC_ID_FFV1,
                                 AV_CODEC_ID_PRORES, AV_CODEC_ID_MJPEG, AV_CODEC_ID_MPEG2VIDEO};
  return std::ranges::find(tested, id) != tested.end();
}

bool is_damaged(const AVFrame& frame) {
  return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0;
}

}  // namespace

PictureReader::PictureReader(const Location& location, const Patience& patience, int threads)
    : location_(location),
      patience_(patience),
      can_reopen_(location.kind == Location::Kind::kFile || location.kind == Location::Kind::kSequence),
      threads_(can_reopen_ ? std::max(threads, 1) : 1) {}

Result<std::unique_ptr<PictureReader>> PictureReader::open(const Location& location, const Patience& patience,
                                                           int threads, std::stop_token stop) {
  std::unique_ptr<PictureReader> reader(new PictureReader(location, patience, threads));
  auto inside = reader->open_inside(reader->threads_, stop);
  if (!inside) return std::move(inside).error();
  reader->inside_ = std::move(*inside);
  return reader;
}

Result<std::unique_ptr<PictureReader::Inside>> PictureReader::open_inside(int threads,
                                                                          std::stop_token stop) const {
  auto inside = std::make_unique<Inside>();
  auto demuxer = Demuxer::open(location_, patience_, inside->log, std::move(stop));
  if (!demuxer) return std::move(demuxer).error();
  inside->demuxer = std::move(*demuxer);

  const AVCodecParameters& parameters = *inside->demuxer->stream().codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (!codec) {
    return cannot_open(
        location_, std::string("no decoder for its video (") + avcodec_get_name(parameters.codec_id) + ")");
  }
  const ErrorLog::Scope scope(inside->log);
  inside->decoder.reset(avcodec_alloc_context3(codec));
  inside->packet.reset(av_packet_alloc());
  if (!inside->decoder || !inside->packet) throw std::bad_alloc();
  AVCodecContext& decoder = *inside->decoder;
  inside->threads = threads_tell_of_damage(codec->id) ? threads : 1;
  decoder.opaque = &inside->log;
  decoder.pkt_timebase = inside->demuxer->stream().time_base;
  decoder.max_pixels = kMostPixels;
  decoder.thread_count = inside->threads;
  zero_all_buffers(decoder);
  int code = avcodec_parameters_to_context(&decoder, &parameters);
  if (code >= 0) code = avcodec_open2(&decoder, codec, nullptr);
  if (code < 0) {
    const std::string line = inside->log.last_line();
    return cannot_open(location_, std::string("its ") + codec->name + " decoder does not start" +
                                      (line.empty() ? "" : " (" + line + ")"));
  }
  inside->log_lines_seen = inside->log.lines();
  inside->damage = inside->log_lines_seen > 0 ? 1 : 0;
  return inside;
}

void PictureReader::note_damage(bool seen) {
  const std::int64_t lines = inside_->log.lines();
  if (seen || lines != inside_->log_lines_seen) ++inside_->damage;
  inside_->log_lines_seen = lines;
}

// A transport stream that misses a count has its packet flagged as damaged, or, as the parser lags behind,
// the one before. Where the clock falls back at the same place two recordings were joined and nothing need be
// missing. So a flag counts two packets later, unless the decode time has fallen back by then. `packet` is
// null at the end.
bool PictureReader::flag_counts(const AVPacket* packet) {
  Inside& in = *inside_;
  const bool joined = packet && packet->dts != AV_NOPTS_VALUE && in.previous_dts != AV_NOPTS_VALUE &&
                      packet->dts < in.previous_dts;
  if (joined) in.packets_after_flag.reset();
  const bool counts = in.packets_after_flag && (!packet || ++*in.packets_after_flag >= 2);
  if (counts) in.packets_after_flag.reset();
  if (packet) {
    in.previous_dts = packet->dts;
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0 && !in.packets_after_flag) in.packets_after_flag = 0;
  }
  return counts;
}

// Gives the decoder one packet, or tells it that there are no more.
Result<void> PictureReader::feed(std::stop_token stop) {
  Inside& in = *inside_;
  AVPacket* packet = in.packet.get();
  auto read = in.demuxer->read(*packet, std::move(stop));
  if (!read) {
    if (read.error().kind == ErrorKind::kStopped) return std::move(read).error();
    in.after_draining = std::move(read).error();
    in.draining = true;
  } else {
    in.draining = *read != Demuxer::Read::kPacket;
    const bool flagged = flag_counts(in.draining ? nullptr : packet);
    note_damage(*read == Demuxer::Read::kTornEnd || flagged);
    in.encrypted |= av_packet_get_side_data(packet, AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr;
  }
  // An empty packet would tell the decoder that this is the end.
  if (!in.draining && packet->size == 0) return {};
  const int code = avcodec_send_packet(in.decoder.get(), in.draining ? nullptr : packet);
  note_damage(code < 0 && code != AVERROR_EOF);
  return {};
}

Result<AvFrame> PictureReader::decode(std::stop_token stop) {
  Inside& in = *inside_;
  const ErrorLog::Scope scope(in.log);
  AvFrame frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  int failures = 0;
  int packets = 0;
  while (true) {
    const int code = avcodec_receive_frame(in.decoder.get(), frame.get());
    if (code >= 0) {
      note_damage(is_damaged(*frame));
      return frame;
    }
    const bool hungry = code == AVERROR(EAGAIN);
    const bool stuck = ++failures > kMostFailures;
    if (code == AVERROR_EOF || (in.draining && (hungry || stuck))) {
      if (in.after_draining) return *in.after_draining;
      return AvFrame{};
    }
    note_damage(!hungry);
    if (!hungry && !stuck) continue;
    if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped reading " + location_.quoted};
    if (!can_reopen_ && ++packets > kMostPacketsWithoutPicture) {
      return Error{ErrorKind::kSource, "cannot go on reading " + location_.quoted + ": not one picture in " +
                                           std::to_string(kMostPacketsWithoutPicture) + " packets"};
    }
    if (auto fed = feed(stop); !fed) return std::move(fed).error();
    failures = 0;
  }
}

bool PictureReader::seek_inside(std::int64_t pts, std::stop_token stop) {
  Inside& in = *inside_;
  const ErrorLog::Scope scope(in.log);
  if (!in.demuxer->seek(pts, std::move(stop))) return false;
  avcodec_flush_buffers(in.decoder.get());
  in.draining = false;
  in.after_draining.reset();
  in.packets_after_flag.reset();
  in.previous_dts = AV_NOPTS_VALUE;
  in.log_lines_seen = in.log.lines();
  in.damage = 0;
  return true;
}

// See Note: Damaged streams and threads.
Result<void> PictureReader::go_careful(std::stop_token stop) {
  threads_ = 1;
  auto inside = open_inside(threads_, stop);
  if (!inside) return std::move(inside).error();
  inside_ = std::move(*inside);
  if (sought_) seek_inside(*sought_, stop);  // as it could before
  for (std::int64_t i = 0; i < handed_out_; ++i) {
    auto again = decode(stop);
    if (!again) return std::move(again).error();
  }
  return {};
}

Result<AvFrame> PictureReader::next(std::stop_token stop) {
  auto frame = decode(stop);
  if (frame && inside_->threads > 1 && inside_->damage > 0) {
    frame = AvFrame{};
    if (auto done = go_careful(stop); !done) return std::move(done).error();
    frame = decode(stop);
  }
  if (frame && *frame) ++handed_out_;
  return frame;
}

bool PictureReader::seek(std::int64_t pts, std::stop_token stop) {
  if (!seek_inside(pts, std::move(stop))) return false;
  sought_ = pts;
  handed_out_ = 0;
  return true;
}

Result<void> PictureReader::rewind(std::stop_token stop) {
  auto inside = open_inside(threads_, std::move(stop));
  if (!inside) return std::move(inside).error();
  inside_ = std::move(*inside);
  sought_.reset();
  handed_out_ = 0;
  return {};
}

bool PictureReader::seeks_reliably() const {
  constexpr std::array<std::string_view, 2> containers = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"};
  constexpr std::array codecs = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC,  AV_CODEC_ID_VP8,    AV_CODEC_ID_VP9,
                                 AV_CODEC_ID_AV1,  AV_CODEC_ID_MPEG4, AV_CODEC_ID_PRORES, AV_CODEC_ID_MJPEG};
  const AVFormatContext& in = format();
  return std::ranges::find(containers, in.iformat->name) != containers.end() &&
         std::ranges::find(codecs, stream().codecpar->codec_id) != codecs.end() && in.pb &&
         (in.pb->seekable & AVIO_SEEKABLE_NORMAL) != 0;
}

std::string PictureReader::reason_for_nothing() const {
  const AVCodecParameters& parameters = *stream().codecpar;
  if (inside_->encrypted) return "its video is encrypted";
  if (std::int64_t{parameters.width} * parameters.height > kMostPixels) {
    return "its pictures of " + std::to_string(parameters.width) + " x " + std::to_string(parameters.height) +
           " are too large";
  }
  const std::string line = inside_->log.last_line();
  return "not one picture of its video can be decoded" + (line.empty() ? "" : " (" + line + ")");
}

// A picture's own matrix (a photograph's orientation) counts before the container's.
int PictureReader::quarter_turns(const AVFrame& frame) const {
  constexpr std::size_t kBytes = 9 * sizeof(std::int32_t);
  const auto turns = [](const std::uint8_t* data) {
    return clockwise_quarter_turns(
        std::span<const std::int32_t, 9>(reinterpret_cast<const std::int32_t*>(data), 9));
  };
  const AVFrameSideData* own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (own && own->size >= kBytes) return turns(own->data);
  std::size_t bytes = 0;
  const auto* matrix = av_stream_get_side_data(&stream(), AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  return matrix && bytes >= kBytes ? turns(matrix) : 0;
}

}  // namespace longtake
