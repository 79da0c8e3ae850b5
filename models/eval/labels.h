// How well frames and segments were named: results against labelled stretches.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/ground_truth.h"
#include "models/eval/statistics.h"
#include "models/eval/watched.h"

namespace longtake {

inline constexpr std::array<int, 3> kOverlaps{10, 25, 50};  // percent

// Counts of one video, or of many; weighted, as numbers with a point.
struct LabelCounts {
  // Right, wrongly said, and missed: of frames with a class, or of segments at one overlap.
  struct Hits {
    double right = 0, wrong = 0, missed = 0;
    double precision() const { return right / (right + wrong); }  // NaN: 0 of 0
    double recall() const { return right / (right + missed); }
    double f1() const { return 2 * right / (2 * right + wrong + missed); }
    void add(const Hits& other, double weight);
  };
  std::map<std::string, Hits> classes;  // of frames; a frame that names none is missed and not wrong
  std::array<Hits, kOverlaps.size()> segments;
  double frames = 0;  // in labelled time
  double right = 0;
  double edit = 0;  // sum over videos
  double videos = 0;

  double frame_accuracy() const { return right / frames; }
  double macro_f1() const;  // mean over classes that the truth has; NaN: none
  double edit_score() const { return edit / videos; }
  void add(const LabelCounts& other, double weight = 1);
};

// Note: Labels that count
//
// Only time that the truth labels is judged; what a result says outside of it is neither right nor wrong. Where stretches of
// the truth overlap, the one that began last counts, and of those that began together the one that ends first. All figures
// are of frames, those of segments too: a segment is a run of frames of one name, true or said, within labelled time. At an
// overlap of k %, a segment that was said is right if the intersection with the true one of its name that it fits best is at
// least k % of their union, and no other has taken that one; figures are F1 over all segments. Edit score: 1 − the edits
// (take out, put in, change) from one row of names to the other / the longer row's length; mean of videos.
//
// Names [frames], empty: none.
LabelCounts count_labels(const std::vector<std::string>& truth, const std::vector<std::string>& said);

// What the truth calls each frame.
std::vector<std::string> true_labels(const std::vector<TrueEvent>& truth, const std::vector<double>& times);

struct LabelRequest {
  ResultRequest of;
  std::string column = "label";
};

struct LabelEvaluation {
  struct Judged {
    LabelCounts counts;  // of all videos
    std::vector<LabelCounts> by_video;
    std::vector<Interval> intervals;  // 95 %, over videos: frame accuracy, macro F1, segment F1 at each overlap, edit score
  };
  std::vector<std::string> videos;
  // What frame records say, each by its first label; and what segment records say, for all frames of a segment. Without
  // videos where no result says anything so.
  Judged by_frames, by_segments;
};

// Errors: kInput (also: a result without labels, or no frame in labelled time), kUsage.
Result<LabelEvaluation> evaluate_labels(const LabelRequest& request, const Note& note);

}  // namespace longtake
