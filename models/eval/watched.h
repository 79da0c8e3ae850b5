// A finished result as evaluations look at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"
#include "models/eval/ground_truth.h"
#include "models/eval/statistics.h"
#include "models/train/training.h"

namespace longtake {

struct WatchedVideo {
  std::filesystem::path file;  // the result
  std::string video;           // file name of the header's source
  // Whether its frames are those of the whole video, so that frame numbers of a truth are indices here. Otherwise frames
  // were thinned (--fps) or are a part.
  bool every_frame = true;
  bool part = false;  // --from or --to: what lies outside was never asked for

  struct Frame {
    std::int64_t frame = 0;
    std::optional<float> surprise, novelty, sustained, familiarity, deviation, boundary;
    PlainSignals plain;
    std::optional<std::string> label;  // the likeliest; empty: none is likely
  };
  std::vector<Frame> frames;
  std::vector<double> times;  // of the frames, in seconds: pts in the time base, not rounded
  std::vector<EventRecord> events;
  std::vector<double> event_times;
  std::vector<SegmentRecord> segments;

  // Between the first and the last frame, and as long as a frame is shown. 0 without two frames.
  double seconds() const;
  // Where events can lie: everywhere, or in the part that was asked for.
  TimeSpan asked_for() const;
};

struct ResultRequest {
  std::vector<std::string> results;
  std::filesystem::path truth;
  std::filesystem::path root;  // folder of the truth's videos; empty: that of the truth itself
  std::string split;           // empty: all rows
};

// Reads results, in their order. Those of videos that are not `known` (by file name) are left out, with a note; a result
// that breaks off is used as far as it goes, with a note. Errors: kInput (those of read_result; a result without frames;
// none is of a known video), kUsage (two results of one video).
Result<std::vector<WatchedVideo>> read_watched(const ResultRequest& request,
                                               const std::function<bool(const std::string& video)>& known, const Note& note);

// When the frames lie that a truth counts: those of the whole video. A result of every frame says so itself; for another
// one the video is decoded, at `path` below the root. Errors: kInput, kStopped.
Result<std::vector<double>> truth_times(const WatchedVideo& watched, const ResultRequest& request, const std::string& path,
                                        std::stop_token stop);

// 95 %, over videos: bootstrap() from a seed that is always the same.
inline constexpr double kConfidence = 0.95;
std::vector<Interval> video_intervals(std::size_t videos,
                                      const std::function<std::vector<double>(std::span<const double> drawn)>& figures);

// What each frame says of something, by name; NaN where it says nothing.
struct Signal {
  std::string name;
  std::vector<double> values;  // [frames]
};
// Those that `watched` carries at all, in a fixed order: surprise, novelty, sustained, unfamiliarity (1 − familiarity to
// another memory), deviation (from it), boundary, plain ones.
std::vector<Signal> signals_of(const WatchedVideo& watched);

// Frames at which a signal peaks: the highest of each run of frames above median + 13 median absolute deviations of the
// whole signal. No frame without a value is one.
std::vector<std::size_t> robust_peaks(const std::vector<double>& values);

}  // namespace longtake
