// What pictures of curves are drawn on: a PNG file by cairo, or an SVG file whose text stays text. Lengths are in pixels of
// a screen, from the upper left corner; a PNG has two pixels for each. One thread.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace longtake {

struct Point {
  double x = 0;
  double y = 0;
};

struct Colour {
  unsigned red = 0, green = 0, blue = 0;  // 0 … 255
};

struct Stroke {
  Colour colour;
  double width = 1;
  std::span<const double> dashes{};  // lengths of lines and gaps in turn; empty: one line
};

struct TextStyle {
  double size = 12;
  enum class Anchor { kStart, kMiddle, kEnd } anchor = Anchor::kStart;
  bool bold = false;
  bool upwards = false;  // runs from the bottom to the top
  Colour colour{};
};

class Canvas {
 public:
  virtual ~Canvas() = default;

  virtual void rectangle(Point corner, double width, double height, Colour fill) = 0;
  virtual void polygon(std::span<const Point> corners, Colour fill) = 0;
  virtual void line(std::span<const Point> points, const Stroke& stroke) = 0;
  // `at` is on the line that letters stand on. What is not UTF-8 comes out as U+FFFD.
  virtual void text(Point at, std::string_view words, const TextStyle& style) = 0;
  // The bytes of the file. Errors: kUnexpected.
  virtual Result<std::string> finish() = 0;
};

// How wide a text is.
double text_width(std::string_view words, const TextStyle& style);

enum class PictureFormat { kPng, kSvg };
// By the name's ending. Errors: kUsage.
Result<PictureFormat> picture_format(const std::filesystem::path& file);

// A white one.
std::unique_ptr<Canvas> make_canvas(PictureFormat format, int width, int height);

}  // namespace longtake
