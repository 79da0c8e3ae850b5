#include "app/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "app/plot_axis.h"
#include "app/plot_canvas.h"
#include "core/records/utf8.h"
#include "core/store/atomic_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using Anchor = TextStyle::Anchor;

constexpr int kWidth = 760;
constexpr int kPanelHeight = 290;
constexpr double kAbove = 34, kBelow = 48, kRight = 22;  // of the frame of a panel
constexpr double kSample = 26;                           // a piece of the curve, in a legend
constexpr double kRow = 17;
constexpr Colour kInk{30, 30, 30}, kGrid{224, 224, 224}, kFineGrid{242, 242, 242}, kMark{240, 170, 140};

// Colours that people with any colour vision tell apart (Okabe and Ito, Color Universal Design, 2008), in an order in which
// neighbours differ in grey as well; and dashes, for prints.
constexpr std::array<Colour, 7> kColours{
    {{0, 114, 178}, {230, 159, 0}, {0, 120, 90}, {204, 121, 167}, {0, 0, 0}, {86, 180, 233}, {200, 80, 0}}};
constexpr std::array<double, 2> kLong{7, 3}, kDots{2, 2};
constexpr std::array<double, 4> kMixed{8, 3, 2, 3};
constexpr std::array<std::span<const double>, 4> kDashes{{{}, kLong, kDots, kMixed}};

struct Rectangle {
  double left = 0, top = 0, width = 0, height = 0;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

Colour pale(Colour c) {
  const auto mix = [](unsigned part) { return (part + 2 * 255) / 3; };
  return {mix(c.red), mix(c.green), mix(c.blue)};
}

// How the curves of a panel look: what is faint has the colour of the curve that follows.
struct Look {
  Colour colour;
  Stroke stroke;
  std::size_t number = 0;  // among those that are not faint
};

std::vector<Look> looks_of(const Plot& plot) {
  std::vector<Look> out;
  std::size_t number = 0;
  for (const Curve& curve : plot.curves) {
    Look look;
    look.number = number;
    look.colour = kColours[number % kColours.size()];
    if (curve.faint) {
      look.colour = pale(look.colour);
      look.stroke = {look.colour, 1};
    } else {
      look.stroke = {look.colour, 1.8, kDashes[number++ % kDashes.size()]};
    }
    out.push_back(look);
  }
  return out;
}

std::string shortened(std::string_view name) {
  constexpr int kMost = 40;
  std::string_view rest = name;
  for (int i = 0; i < kMost && !rest.empty(); ++i) rest.remove_prefix(next_utf8(rest).bytes);
  const std::string_view kept = name.substr(0, name.size() - rest.size());
  return std::string(kept) + (rest.empty() ? "" : "…");
}

struct Axes {
  Axis x, y;
};

Axes axes_of(const Plot& plot) {
  struct Range {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    void add(double value) { least = std::min(least, value), most = std::max(most, value); }
  } x, y;
  for (const Curve& curve : plot.curves) {
    if (curve.x.size() != curve.y.size()) throw std::invalid_argument("write_plots: a curve's x and y differ in length");
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (drawable(curve.x[i], plot.log_x) && drawable(curve.y[i], plot.log_y)) x.add(curve.x[i]), y.add(curve.y[i]);
    }
  }
  if (x.least > x.most) x = y = {1, 10};  // nothing to show yet
  return {make_axis(x.least, x.most, plot.log_x, 0.02, 9), make_axis(y.least, y.most, plot.log_y, 0.06, 6)};
}

// A curve on paper, cut at its gaps.
std::vector<std::vector<Point>> pieces_of(const Curve& curve, const Axes& axes, const Rectangle& frame) {
  std::vector<std::vector<Point>> out;
  bool open = false;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    if (!drawable(curve.x[i], axes.x.log) || !drawable(curve.y[i], axes.y.log)) {
      open = false;
      continue;
    }
    if (!open) out.emplace_back();
    open = true;
    out.back().push_back({frame.left + frame.width * axes.x.place(curve.x[i]),
                          frame.bottom() - frame.height * axes.y.place(curve.y[i])});
  }
  return out;
}

// Does the line from a to b touch the rectangle? (Liang and Barsky's clipping.)
bool touches(Point a, Point b, const Rectangle& box) {
  double enter = 0, leave = 1;
  const double dx = b.x - a.x, dy = b.y - a.y;
  for (const auto& [along, room] : {std::pair{-dx, a.x - box.left}, std::pair{dx, box.right() - a.x},
                                    std::pair{-dy, a.y - box.top}, std::pair{dy, box.bottom() - a.y}}) {
    if (along == 0) {
      if (room < 0) return false;
    } else if (along < 0) {
      enter = std::max(enter, room / along);
    } else {
      leave = std::min(leave, room / along);
    }
  }
  return enter <= leave;
}

// Circles, squares, triangles and diamonds.
void draw_marker(Canvas& canvas, Point at, std::size_t number, Colour colour, double radius = 3) {
  std::vector<Point> corners;
  const std::size_t shape = number % 4;
  const int count = shape == 0 ? 16 : shape == 2 ? 3 : 4;
  const double turn = shape == 1 ? std::numbers::pi / 4 : std::numbers::pi / 2;
  const double reach = shape == 0 ? radius : 1.3 * radius;
  for (int i = 0; i < count; ++i) {
    const double angle = turn + 2 * std::numbers::pi * i / count;
    corners.push_back({at.x + reach * std::cos(angle), at.y - reach * std::sin(angle)});
  }
  canvas.polygon(corners, colour);
}

// Few numbers are shown one by one.
bool has_markers(const Curve& curve) { return !curve.faint && curve.x.size() <= 24; }

class Legend {
 public:
  Legend(const Plot& plot, std::vector<Look> looks) : looks_(std::move(looks)) {
    for (std::size_t i = 0; i < plot.curves.size(); ++i) {
      const Curve& curve = plot.curves[i];
      if (curve.name.empty()) continue;
      entries_.push_back({shortened(curve.name), i, has_markers(curve)});
      width_ = std::max(width_, kSample + 14 + text_width(entries_.back().name, style()));
    }
  }
  bool empty() const { return entries_.empty(); }
  double width() const { return width_; }
  double height(const Rectangle& frame) const { return row(frame) * static_cast<double>(entries_.size()) + 6; }

  // A place inside of the frame where it covers nothing, if there is one.
  std::optional<Point> free_place(const Rectangle& frame, const std::vector<std::vector<Point>>& pieces) const {
    constexpr double kOff = 8;
    for (const double across : {1.0, 0.0, 0.5}) {
      for (const double down : {0.0, 1.0}) {
        const Rectangle box{frame.left + kOff + across * (frame.width - width_ - 2 * kOff),
                            frame.top + kOff + down * (frame.height - height(frame) - 2 * kOff), width_, height(frame)};
        if (box.left < frame.left || box.top < frame.top) continue;
        const Rectangle around{box.left - 4, box.top - 4, box.width + 8, box.height + 8};
        const bool covers = std::any_of(pieces.begin(), pieces.end(), [&](const std::vector<Point>& piece) {
          for (std::size_t i = 0; i < piece.size(); ++i) {
            if (touches(piece[i > 0 ? i - 1 : 0], piece[i], around)) return true;
          }
          return false;
        });
        if (!covers) return Point{box.left, box.top};
      }
    }
    return std::nullopt;
  }

  void draw(Canvas& canvas, const Rectangle& frame, Point corner) const {
    canvas.rectangle(corner, width_, height(frame), {255, 255, 255});
    double y = corner.y + 3 + row(frame) / 2;
    for (const Entry& entry : entries_) {
      const Look& look = looks_[entry.curve];
      const std::array<Point, 2> line{{{corner.x + 4, y}, {corner.x + 4 + kSample, y}}};
      canvas.line(line, look.stroke);
      if (entry.marker) draw_marker(canvas, {corner.x + 4 + kSample / 2, y}, look.number, look.colour);
      TextStyle text = style();
      text.size = std::min(text.size, row(frame));
      canvas.text({corner.x + kSample + 10, y + 0.36 * text.size}, entry.name, text);
      y += row(frame);
    }
  }

 private:
  struct Entry {
    std::string name;
    std::size_t curve = 0;
    bool marker = false;
  };
  static TextStyle style() { return {.size = 11.5, .colour = kInk}; }
  double row(const Rectangle& frame) const {
    return std::min(kRow, (frame.height - 6) / static_cast<double>(entries_.size()));
  }

  std::vector<Look> looks_;
  std::vector<Entry> entries_;
  double width_ = 0;
};

constexpr TextStyle kTickStyle{.size = 11, .colour = kInk};

void draw_grid(Canvas& canvas, const Axes& axes, const Rectangle& frame) {
  for (const bool fine : {true, false}) {
    const Stroke stroke{fine ? kFineGrid : kGrid, 1};
    for (const Tick& tick : axes.x.ticks) {
      const double x = frame.left + frame.width * axes.x.place(tick.at);
      if (tick.label.empty() == fine) canvas.line(std::array<Point, 2>{{{x, frame.top}, {x, frame.bottom()}}}, stroke);
    }
    for (const Tick& tick : axes.y.ticks) {
      const double y = frame.bottom() - frame.height * axes.y.place(tick.at);
      if (tick.label.empty() == fine) canvas.line(std::array<Point, 2>{{{frame.left, y}, {frame.right(), y}}}, stroke);
    }
  }
}

void draw_marks(Canvas& canvas, const Plot& plot, const Axis& x, const Rectangle& frame) {
  for (const double mark : plot.marks) {
    if (!drawable(mark, x.log) || mark < x.from || mark > x.to) continue;
    const double at = frame.left + frame.width * x.place(mark);
    canvas.line(std::array<Point, 2>{{{at, frame.top}, {at, frame.bottom()}}}, {kMark, 1});
  }
}

void draw_axes(Canvas& canvas, const Plot& plot, const Axes& axes, const Rectangle& frame) {
  const Stroke stroke{kInk, 1};
  canvas.line(std::array<Point, 3>{{{frame.left, frame.top}, {frame.left, frame.bottom()}, {frame.right(), frame.bottom()}}}, stroke);
  for (const Tick& tick : axes.x.ticks) {
    const double x = frame.left + frame.width * axes.x.place(tick.at);
    const double length = tick.label.empty() ? 2.5 : 4.5;
    canvas.line(std::array<Point, 2>{{{x, frame.bottom()}, {x, frame.bottom() + length}}}, stroke);
    TextStyle style = kTickStyle;
    style.anchor = Anchor::kMiddle;
    if (!tick.label.empty()) canvas.text({x, frame.bottom() + 17}, tick.label, style);
  }
  for (const Tick& tick : axes.y.ticks) {
    const double y = frame.bottom() - frame.height * axes.y.place(tick.at);
    const double length = tick.label.empty() ? 2.5 : 4.5;
    canvas.line(std::array<Point, 2>{{{frame.left - length, y}, {frame.left, y}}}, stroke);
    TextStyle style = kTickStyle;
    style.anchor = Anchor::kEnd;
    if (!tick.label.empty()) canvas.text({frame.left - 8, y + 4}, tick.label, style);
  }
  canvas.text({frame.left, frame.top - 12}, plot.title, {.size = 13, .bold = true, .colour = kInk});
  canvas.text({frame.left + frame.width / 2, frame.bottom() + 35}, plot.x_label, {.size = 12, .anchor = Anchor::kMiddle, .colour = kInk});
  canvas.text({18, frame.top + frame.height / 2}, plot.y_label,
              {.size = 12, .anchor = Anchor::kMiddle, .upwards = true, .colour = kInk});
}

void draw_curves(Canvas& canvas, const Plot& plot, const Axes& axes, const std::vector<Look>& looks, const Rectangle& frame) {
  for (const bool faint : {true, false}) {  // those lie behind
    for (std::size_t i = 0; i < plot.curves.size(); ++i) {
      const Curve& curve = plot.curves[i];
      if (curve.faint != faint) continue;
      for (const auto& piece : pieces_of(curve, axes, frame)) {
        if (piece.size() > 1) canvas.line(piece, looks[i].stroke);
        if (has_markers(curve)) {
          for (const Point& point : piece) draw_marker(canvas, point, looks[i].number, looks[i].colour);
        } else if (piece.size() == 1) {
          draw_marker(canvas, piece.front(), 0, looks[i].colour, looks[i].stroke.width);
        }
      }
    }
  }
}

struct Panel {
  const Plot& plot;
  Axes axes;
  std::vector<Look> looks;
  Legend legend;
  Rectangle frame;
  std::optional<Point> legend_at;
};

// Frames of one width below each other; where one panel's legend would cover its curves, all legends stand beside them.
void arrange(std::vector<Panel>& panels) {
  double left = 0, legends = 0;
  for (const Panel& panel : panels) {
    for (const Tick& tick : panel.axes.y.ticks) left = std::max(left, text_width(tick.label, kTickStyle));
    legends = std::max(legends, panel.legend.width());
  }
  left += 40;
  const auto frame = [&](std::size_t i, double right) {
    return Rectangle{left, kPanelHeight * static_cast<double>(i) + kAbove, kWidth - left - right,
                     kPanelHeight - kAbove - kBelow};
  };
  bool beside = false;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    Panel& panel = panels[i];
    panel.frame = frame(i, kRight);
    if (panel.legend.empty()) continue;
    std::vector<std::vector<Point>> pieces;
    for (const Curve& curve : panel.plot.curves) {
      for (auto& piece : pieces_of(curve, panel.axes, panel.frame)) pieces.push_back(std::move(piece));
    }
    panel.legend_at = panel.legend.free_place(panel.frame, pieces);
    beside = beside || !panel.legend_at;
  }
  if (!beside) return;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    Panel& panel = panels[i];
    panel.frame = frame(i, kRight + legends);
    if (!panel.legend.empty()) panel.legend_at = Point{panel.frame.right() + 12, panel.frame.top};
  }
}

}  // namespace

Result<void> check_plot_file(const fs::path& file) {
  if (auto format = picture_format(file); !format) return std::move(format).error();
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code ec;
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kUnexpected, fmt::format("cannot write \"{}\": {}", file.string(), why)};
  };
  if (!fs::is_directory(folder, ec)) return refuse("there is no such folder");
  if (fs::exists(file, ec) && !fs::is_regular_file(file, ec)) return refuse("it is there and not a regular file");
  return {};
}

Result<std::string> draw_plots(PictureFormat format, std::span<const Plot> plots) {
  std::vector<Panel> panels;
  for (const Plot& plot : plots) {
    auto looks = looks_of(plot);
    panels.push_back({plot, axes_of(plot), looks, Legend(plot, looks), {}, {}});
  }
  arrange(panels);
  const auto canvas = make_canvas(format, kWidth, kPanelHeight * std::max(1, static_cast<int>(plots.size())));
  for (const Panel& panel : panels) {
    draw_grid(*canvas, panel.axes, panel.frame);
    draw_marks(*canvas, panel.plot, panel.axes.x, panel.frame);
    draw_curves(*canvas, panel.plot, panel.axes, panel.looks, panel.frame);
    draw_axes(*canvas, panel.plot, panel.axes, panel.frame);
    if (panel.legend_at) panel.legend.draw(*canvas, panel.frame, *panel.legend_at);
  }
  return canvas->finish();
}

Result<void> write_plots(const fs::path& file, std::span<const Plot> plots) {
  const auto format = picture_format(file);
  if (!format) return format.error();
  auto bytes = draw_plots(*format, plots);
  if (!bytes) return std::move(bytes).error();
  return write_file_atomically(file, *bytes);
}

}  // namespace longtake
