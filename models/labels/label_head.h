// Tells frames apart by a few examples of each label, and says when they are like none of them.
//
// Note: How few examples are enough
// The 1,280 numbers of a frame differ in many ways that have nothing to do with its label. What they are shows in the
// examples: S, the scatter of frames around the mean of their own label. Distances to the means are taken in the metric of
// (1 − kShrink) S + kShrink s I, s the mean variance in the directions that S has: directions in which frames of one label
// differ count for little. It is solved in as many dimensions as there are frames.
// How far away frames of a label may lie is asked of the examples too: one of each label is left out, the others are
// learned, and the distances of what was left out are noted, to its own label and to the others. A frame belongs to a label
// as far as its distance is likelier for own frames than for those of other labels, and likelier than the distance that
// two standard deviations beyond the own mean is. What several labels lay claim to goes to the nearer one (kSharpness): a
// label of many looks claims much. So a label needs more than one example to be known well; of a single one,
// the first half stands for an example and the second for another.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "models/labels/label_set.h"

namespace longtake {

// Const once learned: any thread. Deterministic.
class LabelHead {
 public:
  static constexpr double kShrink = 0.3;
  static constexpr double kSharpness = 4;  // by the square of distances, in units of own frames' mean square
  static constexpr std::size_t kMostFrames = 512;  // learned from; of more, every example keeps fewer
  static constexpr std::size_t kMostFolds = 8;     // times that examples are left out

  // `width`: numbers in a sample. Errors: kModel (no examples; nothing but one frame of each label).
  static Result<LabelHead> learn(const std::vector<LabelExample>& examples, std::size_t width);

  // The labels' names, and kUnknownLabel last.
  const std::vector<std::string>& names() const noexcept { return names_; }

  // How likely each of names() is, adding to 1. `feature` [width]. Throws std::invalid_argument on another width.
  std::vector<float> judge(std::span<const float> feature) const;

  // Of a set of examples: the metric and the labels' means. Also used by itself while examples are left out.
  class Distances {
   public:
    // `rows` [frames][width], `label` [frames] in 0 … labels, `example` [frames] whose example it is. A label without rows
    // is infinitely far away.
    Distances(std::span<const double> rows, const std::vector<std::size_t>& label, const std::vector<std::size_t>& example,
              std::size_t labels, std::size_t width);
    std::vector<double> operator()(std::span<const double> row) const;  // [labels]

   private:
    std::size_t width_;
    std::size_t ranks_ = 0;       // rows of basis_
    double isotropic_ = 1;        // variance in every direction
    std::vector<double> basis_;   // [ranks][width]: what S adds to it, see the .cpp
    std::vector<double> means_;   // [labels][width]
    std::vector<double> along_;   // [labels][ranks]: means in the basis
    std::vector<bool> known_;     // [labels]
  };

 private:
  struct Spread {  // of distances
    double mean = 0;
    double deviation = 0;
  };
  LabelHead(std::vector<std::string> names, Distances distances)
      : names_(std::move(names)), distances_(std::move(distances)) {}

  std::vector<std::string> names_;
  Distances distances_;
  std::vector<Spread> own_;     // [labels]
  std::vector<Spread> others_;  // [labels]; infinitely far with a single label
  double typical_ = 1;          // root mean square distance of frames that were left out, to their own label
  std::size_t width_ = 0;
};

}  // namespace longtake
