// Curves as a picture.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

struct Curve {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  // as many; a number that is not finite leaves a gap
};

struct Plot {
  std::string title;
  std::string x_label;  // with its unit
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  std::vector<Curve> curves;
};

// One below the other. PNG or SVG, by the name's ending. Errors: kUsage (another ending), kUnexpected (cannot be written;
// an older file stays).
Result<void> write_plots(const std::filesystem::path& file, std::span<const Plot> plots);

}  // namespace longtake
