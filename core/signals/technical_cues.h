// Facts about the signal itself, not about what it shows: black pictures, pictures of a single other colour, as cameras and
// recorders put in place of a signal they have lost, and pictures that do not change.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/signals/observation.h"

namespace longtake {

// Judged on the thumbnail. A stretch becomes one event when it ends, at its first frame, with its whole span; `score`
// is its length in seconds. Lengths are in seconds, so the frame rate does not matter.
class TechnicalCues {
 public:
  static constexpr double kBlackSeconds = 0.4;
  static constexpr double kFrozenSeconds = 2.0;
  static constexpr double kBlackMean = 20;      // mean level of 255 below which a picture is black …
  static constexpr int kBlackPeak = 48;         // … if nothing in it is brighter than this
  static constexpr double kNoSignalSeconds = 0.4;
  static constexpr int kOneColour = 6;          // levels of a channel within which a picture is of one colour
  static constexpr double kFrozenChange = 0.02;  // mean absolute change of a level between two frames

  void step(const Observation& frame, std::vector<EventRecord>& events);
  void flush(std::vector<EventRecord>& events);
  // The last picture shows nothing: it is black, or of one colour.
  bool blank() const noexcept { return black_.open || no_signal_.open; }

  template <class Archive>
  void archive(Archive& a) {
    a("black", black_);
    a("no_signal", no_signal_);
    a("frozen", frozen_);
    a("has_last", has_last_);
    a("last", last_);
  }

 private:
  struct Run {
    bool open = false;
    std::array<std::int64_t, 2> frames{};
    std::int64_t pts = 0;
    std::array<double, 2> t{};

    template <class Archive>
    void archive(Archive& a) {
      a("open", open);
      a("frames", frames);
      a("pts", pts);
      a("t", t);
    }
  };
  static void extend(Run& run, bool holds, const Observation& frame, std::string_view kind, double least_seconds,
                     std::vector<EventRecord>& events);
  static void close(Run& run, std::string_view kind, double least_seconds, std::vector<EventRecord>& events);

  Run black_;
  Run no_signal_;
  Run frozen_;
  bool has_last_ = false;
  Thumbnail last_{};
};

}  // namespace longtake
