// Curves as a picture.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

enum class PictureFormat;  // app/plot_canvas.h

struct Curve {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  // as many; a number that is not finite leaves a gap; on a log axis, one that is not above 0 too
  bool faint = false;     // thin and pale, in the colour of the curve that follows: what that one smooths
};

struct Plot {
  std::string title;
  std::string x_label;  // with its unit
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  std::vector<Curve> curves;
  std::vector<double> marks{};  // of x: thin lines behind the curves, where they lie within the axis
};

// One below the other: the bytes of a picture. Errors: kUnexpected. Throws std::invalid_argument where x and y of a curve are
// not equally long.
Result<std::string> draw_plots(PictureFormat format, std::span<const Plot> plots);

// The same into a file: PNG or SVG, by the name's ending. Errors: kUsage (another ending), kUnexpected (cannot be written;
// an older file stays).
Result<void> write_plots(const std::filesystem::path& file, std::span<const Plot> plots);

// Whether that could be done, to be asked before the work whose figures are to be plotted. Same errors.
Result<void> check_plot_file(const std::filesystem::path& file);

}  // namespace longtake
