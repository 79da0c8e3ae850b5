// Decoded pictures of one input in output order, and what was damaged on the way. Private to core/media.
//
// Note: Damaged streams and threads
// FFmpeg's decoder threads give the same pictures as one thread does, as long as nothing is damaged. Where a
// decoder has to conceal damage, the outcome depends on which thread was how far: not even two equal runs
// agree. So threads are used for inputs that can be opened again (files and numbered images), and at the
// first sign of damage (an error, a flag, a line of the log) the input is opened again with one thread, the
// pictures that have been handed out are decoded once more and passed over, and reading goes on from there. A
// sign is seen before the damaged picture is handed out, so what was handed out is the same for any number of
// threads. That holds for the codecs listed in threads_tell_of_damage(), for which it was tried with bits
// flipped at random; HEVC, for one, conceals without a word. All others, and pipes and URLs, are decoded by
// one thread. Every buffer is zeroed before a picture is decoded into it: where a decoder leaves parts
// untouched, they would otherwise show what was in memory before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "core/media/demuxer.h"
#include "core/media/ffmpeg_handles.h"
#include "core/media/ffmpeg_log.h"
#include "core/result.h"

namespace longtake {

class PictureReader {
 public:
  // Errors: kInput, kStopped. Decodes nothing yet.
  static Result<std::unique_ptr<PictureReader>> open(const Location& location, const Patience& patience,
                                                     int threads, std::stop_token stop);

  // The next picture, null at the end. Damage ends nothing as long as more can be read. Errors: kSource,
  // kStopped.
  Result<AvFrame> next(std::stop_token stop);

  // Goes on from the last key frame whose time is not after `pts`, as far as the container knows; what comes
  // then has to be checked. False if the container cannot, and nothing should be read then but after
  // rewind().
  bool seek(std::int64_t pts, std::stop_token stop);

  // Opens the input again at its start.
  Result<void> rewind(std::stop_token stop);

  // True where the container has an index of its frames with a time for each, so that seek() finds its place
  // and the pictures from there on have the times they have when read from the start.
  bool seeks_reliably() const;

  // Steps of reading and decoding that showed damage, since open, seek or rewind. One more than that shows at
  // most one.
  std::int64_t damage() const noexcept { return inside_->damage; }

  // Clockwise, to make a picture upright.
  int quarter_turns(const AVFrame& frame) const;

  const AVFormatContext& format() const noexcept { return inside_->demuxer->format(); }
  AVStream& stream() const noexcept { return inside_->demuxer->stream(); }
  // Why there is not one picture, as far as that is known.
  std::string reason_for_nothing() const;

 private:
  // All that is thrown away when the input is opened again. The log outlives the rest, which writes to it.
  struct Inside {
    ErrorLog log;
    std::unique_ptr<Demuxer> demuxer;
    AvCodecContext decoder;
    AvPacket packet;
    int threads = 1;
    bool draining = false;
    bool encrypted = false;
    std::optional<int> packets_after_flag;  // see flag_counts
    std::int64_t previous_dts = AV_NOPTS_VALUE;
    std::int64_t log_lines_seen = 0;
    std::int64_t damage = 0;
    std::optional<Error> after_draining;  // reading failed; the pictures still in the decoder come first
  };

  PictureReader(const Location& location, const Patience& patience, int threads);
  Result<std::unique_ptr<Inside>> open_inside(int threads, std::stop_token stop) const;
  Result<AvFrame> decode(std::stop_token stop);
  Result<void> feed(std::stop_token stop);
  bool flag_counts(const AVPacket* packet);
  void note_damage(bool seen);
  bool seek_inside(std::int64_t pts, std::stop_token stop);
  Result<void> go_careful(std::stop_token stop);

  Location location_;
  Patience patience_;
  bool can_reopen_;
  int threads_;
  std::unique_ptr<Inside> inside_;
  std::optional<std::int64_t> sought_;  // where the last seek() went, until rewind()
  std::int64_t handed_out_ = 0;         // since open, seek or rewind
};

}  // namespace longtake
