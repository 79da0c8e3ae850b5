#include "app/plot_canvas.h"

#include <cairo.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/records/utf8.h"

namespace longtake {
namespace {

constexpr char kFont[] = "DejaVu Sans";
constexpr double kScale = 2;  // of a PNG

// Fit for cairo, which draws nothing more after a broken character, and for XML, which knows no control characters.
std::string clean(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const Utf8Piece piece = next_utf8(words);
    const bool control = static_cast<unsigned char>(words.front()) < 0x20 || words.front() == 0x7f;
    out += piece.valid && !control ? words.substr(0, piece.bytes) : kReplacementCharacter;
    words.remove_prefix(piece.bytes);
  }
  return out;
}

struct DestroyCairo {
  void operator()(cairo_t* of) const { cairo_destroy(of); }
  void operator()(cairo_surface_t* of) const { cairo_surface_destroy(of); }
};
using Surface = std::unique_ptr<cairo_surface_t, DestroyCairo>;
using Pen = std::unique_ptr<cairo_t, DestroyCairo>;

void choose_font(cairo_t* pen, const TextStyle& style) {
  cairo_select_font_face(pen, kFont, CAIRO_FONT_SLANT_NORMAL, style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(pen, style.size);
}

double advance(cairo_t* pen, const std::string& words) {
  cairo_text_extents_t extents;
  cairo_text_extents(pen, words.c_str(), &extents);
  return extents.x_advance;
}

double share_before(TextStyle::Anchor anchor) {
  return anchor == TextStyle::Anchor::kStart ? 0 : anchor == TextStyle::Anchor::kMiddle ? 0.5 : 1;
}

class PngCanvas final : public Canvas {
 public:
  PngCanvas(int width, int height)
      : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(kScale) * width,
                                            static_cast<int>(kScale) * height)),
        pen_(cairo_create(surface_.get())) {
    cairo_set_source_rgb(pen_.get(), 1, 1, 1);
    cairo_paint(pen_.get());
    cairo_scale(pen_.get(), kScale, kScale);
    cairo_set_line_join(pen_.get(), CAIRO_LINE_JOIN_ROUND);
  }

  void rectangle(Point corner, double width, double height, Colour fill) override {
    colour(fill);
    cairo_rectangle(pen_.get(), corner.x, corner.y, width, height);
    cairo_fill(pen_.get());
  }
  void polygon(std::span<const Point> corners, Colour fill) override {
    colour(fill);
    path(corners);
    cairo_close_path(pen_.get());
    cairo_fill(pen_.get());
  }
  void line(std::span<const Point> points, const Stroke& stroke) override {
    colour(stroke.colour);
    cairo_set_line_width(pen_.get(), stroke.width);
    cairo_set_dash(pen_.get(), stroke.dashes.data(), static_cast<int>(stroke.dashes.size()), 0);
    path(points);
    cairo_stroke(pen_.get());
  }
  void text(Point at, std::string_view words, const TextStyle& style) override {
    const std::string text = clean(words);
    colour(style.colour);
    choose_font(pen_.get(), style);
    cairo_save(pen_.get());
    cairo_translate(pen_.get(), at.x, at.y);
    if (style.upwards) cairo_rotate(pen_.get(), -std::numbers::pi / 2);
    cairo_move_to(pen_.get(), -share_before(style.anchor) * advance(pen_.get(), text), 0);
    cairo_show_text(pen_.get(), text.c_str());
    cairo_restore(pen_.get());
  }
  Result<std::string> finish() override {
    std::string bytes;
    const auto take = [](void* to, const unsigned char* data, unsigned length) {
      static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
      return CAIRO_STATUS_SUCCESS;
    };
    cairo_surface_flush(surface_.get());
    cairo_status_t status = cairo_status(pen_.get());
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png_stream(surface_.get(), take, &bytes);
    if (status == CAIRO_STATUS_SUCCESS) return bytes;
    return Error{ErrorKind::kUnexpected, fmt::format("cannot draw a picture: {}", cairo_status_to_string(status))};
  }

 private:
  void colour(Colour c) { cairo_set_source_rgb(pen_.get(), c.red / 255.0, c.green / 255.0, c.blue / 255.0); }
  void path(std::span<const Point> points) {
    cairo_new_path(pen_.get());
    for (const Point& point : points) cairo_line_to(pen_.get(), point.x, point.y);
  }

  Surface surface_;
  Pen pen_;
};

// cairo would turn every letter of an SVG into a path: large, and nothing that can be searched or read aloud.
class SvgCanvas final : public Canvas {
 public:
  SvgCanvas(int width, int height) {
    out_ = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" "
                       "height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"{2}, sans-serif\">\n",
                       width, height, kFont);
    rectangle({0, 0}, width, height, {255, 255, 255});
  }

  void rectangle(Point corner, double width, double height, Colour fill) override {
    out_ += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", corner.x,
                        corner.y, width, height, name(fill));
  }
  void polygon(std::span<const Point> corners, Colour fill) override {
    out_ += fmt::format("<polygon points=\"{}\" fill=\"{}\"/>\n", list(corners), name(fill));
  }
  void line(std::span<const Point> points, const Stroke& stroke) override {
    std::string dashes;
    for (const double length : stroke.dashes) dashes += fmt::format("{}{}", dashes.empty() ? "" : " ", length);
    out_ += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>\n",
                        list(points), name(stroke.colour), stroke.width,
                        dashes.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dashes));
  }
  void text(Point at, std::string_view words, const TextStyle& style) override {
    std::string text;
    for (const char c : clean(words)) {
      if (c == '&') text += "&amp;";
      else if (c == '<') text += "&lt;";
      else if (c == '>') text += "&gt;";
      else text += c;
    }
    const char* anchor = style.anchor == TextStyle::Anchor::kStart    ? "start"
                         : style.anchor == TextStyle::Anchor::kMiddle ? "middle"
                                                                      : "end";
    out_ += fmt::format("<text x=\"{0:.2f}\" y=\"{1:.2f}\" font-size=\"{2}\" text-anchor=\"{3}\" fill=\"{4}\"{5}{6}>{7}</text>\n",
                        at.x, at.y, style.size, anchor, name(style.colour), style.bold ? " font-weight=\"bold\"" : "",
                        style.upwards ? fmt::format(" transform=\"rotate(-90 {:.2f} {:.2f})\"", at.x, at.y) : "", text);
  }
  Result<std::string> finish() override { return out_ + "</svg>\n"; }

 private:
  static std::string name(Colour c) { return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue); }
  static std::string list(std::span<const Point> points) {
    std::string out;
    for (const Point& point : points) out += fmt::format("{}{:.2f},{:.2f}", out.empty() ? "" : " ", point.x, point.y);
    return out;
  }

  std::string out_;
};

}  // namespace

double text_width(std::string_view words, const TextStyle& style) {
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  const Pen pen(cairo_create(surface.get()));
  choose_font(pen.get(), style);
  return advance(pen.get(), clean(words));
}

Result<PictureFormat> picture_format(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (ending == ".png") return PictureFormat::kPng;
  if (ending == ".svg") return PictureFormat::kSvg;
  return Error{ErrorKind::kUsage, fmt::format("cannot plot to \"{}\": its name has to end in .png or .svg", file.string())};
}

std::unique_ptr<Canvas> make_canvas(PictureFormat format, int width, int height) {
  if (format == PictureFormat::kSvg) return std::make_unique<SvgCanvas>(width, height);
  return std::make_unique<PngCanvas>(width, height);
}

}  // namespace longtake
