// What the curves show, as numbers: for a table in a file, and for a picture whose lines stay lines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/plot.h"
#include "app/studio/findings.h"
#include "app/studio/layer_model.h"
#include "app/studio/samples.h"
#include "core/result.h"

namespace longtake {

// A row a sample, that is a frame, or all frames of a column of pixels.
struct LossTable {
  struct Layer {
    int number = 1;                                 // as people count
    std::vector<float> before, after, mean, drift;  // of each row; NaN: there is none
  };
  double mean_seconds = 1;
  std::vector<double> t, first;  // of each row: seconds, and its first frame
  std::vector<double> frames;    // how many its values are the mean of
  std::vector<Layer> layers;     // those that are drawn
};

LossTable loss_table(const Findings& findings, const LayerModel& layers, const Samples& samples);

// Time, frame, frames, and four columns a layer. Errors: kUnexpected (cannot be written; an older file stays).
Result<void> write_csv(const std::filesystem::path& file, const LossTable& table);
// Losses, or drifts, against time. Errors: those of write_plots().
Result<void> write_curves(const std::filesystem::path& file, const LossTable& table, bool drift, bool logarithmic);

}  // namespace longtake
