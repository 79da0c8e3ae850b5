// What the frozen encoder makes of a video, kept on disk: training and evaluation look at the same frames many times,
// and encoding is most of the work of seeing them once.
//
// One file a video, named by what is in it: the video's contents, the encoder's, the frame rate and the format. A file
// that was being written when its writer died is gone on with, not begun again. 14.5 kB a frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/media/source.h"
#include "core/records/records.h"
#include "core/result.h"
#include "models/encoder/encoder.h"
#include "models/frame_encoder.h"

namespace longtake {

// The features of one video, mapped into memory: what is not looked at costs nothing. Any thread.
class Features {
 public:
  static constexpr int kTokenNumbers = Encoder::kTokens * Encoder::kTokenChannels;

  // Errors: kModel (missing, cut short, of another format).
  static Result<std::shared_ptr<const Features>> open(const std::filesystem::path& file, std::string name);
  ~Features();
  Features(const Features&) = delete;
  Features& operator=(const Features&) = delete;

  const std::string& name() const noexcept { return name_; }  // of the video, for people
  std::int64_t frames() const noexcept { return frames_; }
  std::int64_t pts(std::int64_t frame) const;
  double seconds(std::int64_t frame) const;  // since the first frame
  // The frame whose time is nearest; the earlier one of two.
  std::int64_t nearest(double seconds) const;

  // 16-bit floats, see core/store/half.h.
  std::span<const std::uint16_t> tokens(std::int64_t frame) const;     // [tokens][channels]
  std::span<const std::uint16_t> embedding(std::int64_t frame) const;  // [Encoder::kEmbedding]
  std::span<const std::uint8_t> thumbnail(std::int64_t frame) const;   // as records.h has it

 private:
  Features() = default;
  const std::byte* record(std::int64_t frame) const;

  std::string name_;
  const std::byte* file_ = nullptr;
  std::size_t size_ = 0;
  std::int64_t frames_ = 0;
  double seconds_per_pts_ = 0;
};

struct FeatureCacheOptions {
  std::filesystem::path folder;        // made if it is not there
  std::uint64_t limit_bytes = 16ull << 30;  // of all files in it; those used longest ago make room
  Rational fps{25, 2};                 // at most so many frames a second; 0/1: every frame
  FrameView view = FrameView::kPlain;  // of each frame
  int threads = 2;
  // While a video is encoded: frames done in this call, and the stream for its length.
  std::function<void(const StreamInfo&, std::int64_t frames, double seconds)> on_frame;
};

// Deletes files of the folder that features or films are kept in, those used longest ago first, until the rest takes no more
// than `limit_bytes`; never `keep`.
inline constexpr char kFilmsSuffix[] = ".films";
void make_room(const std::filesystem::path& folder, std::uint64_t limit_bytes, const std::filesystem::path& keep);

// $XDG_CACHE_HOME/longtake/features, or ~/.cache/longtake/features.
std::filesystem::path default_feature_folder();

// One thread.
class FeatureCache {
 public:
  // `encoder_sha256`: of the file the encoder was loaded from.
  FeatureCache(std::shared_ptr<const Encoder> encoder, std::string encoder_sha256, FeatureCacheOptions options);

  // From the disk if it is there, otherwise the video is decoded and encoded first; a request to stop leaves what is
  // done for the next call. Errors: those of open_source(); kUnexpected (disk full, another program is at the same
  // video); kUsage (larger than the limit).
  Result<std::shared_ptr<const Features>> get(const std::string& video, std::stop_token stop);

 private:
  Result<void> record(const std::string& video, const std::filesystem::path& part, std::stop_token stop) const;

  std::shared_ptr<const Encoder> encoder_;
  std::string encoder_sha256_;
  FeatureCacheOptions options_;
};

}  // namespace longtake
