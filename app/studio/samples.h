// What a drawing shows of curves: which frames stand where. A drawing, its table and its export read the same samples.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "app/studio/curves.h"
#include "app/studio/findings.h"
#include "core/signals/curve_pyramid.h"

namespace longtake {

// Some frames that follow one another, or a single one.
struct Sample {
  double t = 0;                // seconds: of the frame, or of the middle of its column
  double first = 0, step = 1;  // frames [first, first + step)
  bool joined = false;         // nothing is missing between the sample before and this one
};

// Whether a sample stands for a pixel column, or for a frame.
enum class Grain { kColumns, kFrames };
struct Samples {
  Grain grain = Grain::kColumns;
  std::vector<Sample> all;
};

// Of the frames between two times, in at most `columns` samples and a few: every frame where there is room for all of them,
// otherwise one sample a column, none where nothing was seen. Of frames, one more on each side, where lines begin and end.
Samples samples_between(const Findings& findings, double from, double to, int columns);

// The least, greatest and mean value of every sample.
std::vector<CurvePyramid::Extent> extents(const CurvePyramid& curve, const std::vector<Sample>& samples);

// Mean of all values up to each sample, those `seconds` ago weighing 1/e; NaN before the first value. It starts with the
// first value that there is and forgets over a gap as over any other stretch.
std::vector<float> running_mean(const Findings& findings, const CurvePyramid& curve, const std::vector<Sample>& samples,
                                double seconds);

// The frame that is shown at a time: the last one that is not after it. None where nothing was seen.
std::optional<Sample> sample_at(const Findings& findings, double t);

}  // namespace longtake
