// How well shot boundaries were found: results against a truth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/boundary_match.h"
#include "models/eval/ground_truth.h"
#include "models/eval/statistics.h"
#include "models/eval/watched.h"

namespace longtake {

// Kinds that are told apart in the truth. Fades are all types that begin so (fade_in); types that are none of these count
// in all.
inline constexpr std::array<const char*, 4> kBoundaryKinds{"all", "cut", "dissolve", "fade"};

// Counts of one video, or of many. As numbers with a point, so that videos can be weighted.
struct BoundaryCounts {
  struct Kind {
    double hits = 0;
    double truth = 0;
    double found = 0;  // hits and false alarms

    double precision() const { return hits / found; }  // NaN: 0 of 0
    double recall() const { return hits / truth; }
    double f1() const { return longtake::f1(hits, truth, found); }
  };
  std::array<Kind, kBoundaryKinds.size()> kinds;
  double false_alarms = 0;
  double flashes = 0;
  double flash_false_alarms = 0;  // flashes with a false alarm within their reach
  double seconds = 0;             // that were watched

  double false_alarms_per_hour() const { return 3600 * false_alarms / seconds; }
  void add(const BoundaryCounts& other, double weight = 1);
};

struct FoundBoundary {
  double t = 0;      // seconds
  std::string kind;  // of the event
};

// Note: Boundaries that count
//
// Every true boundary is hit by one event at most, and as many are hit as can be, whatever kind the event says it is: a cut
// that is called gradual is found. Events that hit nothing are false alarms. One of kind cut counts against the precision
// of cuts, one of kind gradual against those of dissolves and of fades, and one of kind boundary, which does not say what
// it is, against all three; so the kinds' `found` need not add up to that of all. A truth that does not lie wholly within
// `asked_for` is not counted, and neither is an event that hits it.
//
// Tolerances are frames of the whole video, also for a result that looked at some of them only: it is judged by the same
// measure as one that looked at all.
//
// `times` of all frames of the video, as truth_times() gives them.
BoundaryCounts count_boundaries(const std::vector<TrueBoundary>& truths, const std::vector<FoundBoundary>& events,
                                std::span<const double> times, TimeSpan asked_for, std::int64_t tolerance);

struct BoundaryRequest {
  ResultRequest of;
  std::int64_t tolerance = kCutTolerance;
  std::vector<std::string> signals;  // to be judged by their peaks beside the events; "all": all that there are
};

struct BoundaryEvaluation {
  // One way of saying where boundaries are: by events, or by the peaks of a signal (robust_peaks).
  struct Judged {
    std::string signal;                    // "events" for those
    BoundaryCounts counts;                 // of all videos
    std::vector<BoundaryCounts> by_video;  // of those that have the signal, in order
    // 95 %, over videos: for each kind precision, recall and F1, then false alarms per hour
    std::vector<Interval> intervals;
  };
  std::vector<std::string> videos;
  Judged events;
  std::vector<Judged> signals;
};

// Errors: kInput, kUsage (a signal that no result has), kStopped.
Result<BoundaryEvaluation> evaluate_boundaries(const BoundaryRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
