#include "app/plot.h"

#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "app/plot_axis.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::HasSubstr;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

// A PNG as numbers.
struct Pixels {
  explicit Pixels(const std::filesystem::path& path) {
    cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
    good = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    if (good) {
      width = cairo_image_surface_get_width(surface);
      height = cairo_image_surface_get_height(surface);
      const int stride = cairo_image_surface_get_stride(surface);
      const unsigned char* data = cairo_image_surface_get_data(surface);
      for (int y = 0; y < height; ++y) {
        const auto* row = reinterpret_cast<const std::uint32_t*>(data + static_cast<std::ptrdiff_t>(y) * stride);
        for (int x = 0; x < width; ++x) rgb.push_back(row[x] & 0xFFFFFFU);
      }
    }
    cairo_surface_destroy(surface);
  }
  // How many pixels of a column have this colour.
  int in_column(int x, std::uint32_t colour) const {
    int count = 0;
    for (int y = 0; y < height; ++y) count += rgb[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] == colour;
    return count;
  }

  bool good = false;
  int width = 0, height = 0;
  std::vector<std::uint32_t> rgb;
};

constexpr std::uint32_t kFirstColour = 0x0072B2;

Plot plot_of(std::vector<double> y) {
  Plot plot{"title", "step", "loss", false, false, {Curve{"", {}, std::move(y)}}};
  for (std::size_t i = 0; i < plot.curves[0].y.size(); ++i) plot.curves[0].x.push_back(static_cast<double>(i));
  return plot;
}

// --- axes

TEST(PlotAxis, TicksAreRoundAndSayWhereTheyStand) {
  for (const auto& [least, most] : {std::pair(0.0, 1.0), {-3.2, 4.7}, {0.1234, 0.1239}, {0.0, 90000.0}, {-0.004, 0.0}, {17.0, 23.0}}) {
    const Axis axis = make_axis(least, most, false, 0.05, 6);
    EXPECT_LT(axis.from, least);
    EXPECT_GT(axis.to, most);
    ASSERT_GE(axis.ticks.size(), 3u) << least;
    ASSERT_LE(axis.ticks.size(), 8u) << least;
    const double step = axis.ticks[1].at - axis.ticks[0].at;
    const double digit = step / std::pow(10, std::floor(std::log10(step) + 1e-6));
    EXPECT_TRUE(std::abs(digit - 1) < 1e-6 || std::abs(digit - 2) < 1e-6 || std::abs(digit - 5) < 1e-6) << digit;
    for (const Tick& tick : axis.ticks) {
      EXPECT_GE(axis.place(tick.at), -1e-9);
      EXPECT_LE(axis.place(tick.at), 1 + 1e-9);
      EXPECT_NEAR(std::strtod(tick.label.c_str(), nullptr), tick.at, 1e-9 + 1e-9 * std::abs(tick.at)) << tick.label;
    }
  }
}

TEST(PlotAxis, LargeAndSmallNumbersAreToldByPowers) {
  const auto labels = [](double least, double most, bool log) {
    std::vector<std::string> out;
    for (const Tick& tick : make_axis(least, most, log, 0, 5).ticks) {
      if (!tick.label.empty()) out.push_back(tick.label);
    }
    return out;
  };
  EXPECT_EQ(labels(0, 4e6, false), (std::vector<std::string>{"0", "1·10⁶", "2·10⁶", "3·10⁶", "4·10⁶"}));
  EXPECT_EQ(labels(0, 4e-7, false), (std::vector<std::string>{"0", "1·10⁻⁷", "2·10⁻⁷", "3·10⁻⁷", "4·10⁻⁷"}));
  EXPECT_EQ(labels(0.01, 100, true), (std::vector<std::string>{"0.01", "0.1", "1", "10", "100"}));
  EXPECT_EQ(labels(1e4, 1e6, true), (std::vector<std::string>{"10000", "10⁵", "10⁶"}));
  EXPECT_EQ(labels(1e-12, 1e12, true).size(), 5u);
  EXPECT_EQ(labels(0.1, 1, true), (std::vector<std::string>{"0.1", "0.2", "0.5", "1"}));
  EXPECT_EQ(labels(0.9, 0.98, true), (std::vector<std::string>{"0.90", "0.92", "0.94", "0.96", "0.98"}));
}

TEST(PlotAxis, AConstantStandsInTheMiddle) {
  for (const double value : {0.0, -7.0, 0.3, 1e-300, 1e150}) {
    EXPECT_NEAR(make_axis(value, value, false, 0.05, 6).place(value), 0.5, 1e-6) << value;
    if (!drawable(value, true)) continue;
    EXPECT_NEAR(make_axis(value, value, true, 0.05, 6).place(value), 0.5, 1e-6) << value;
  }
}

// --- pictures

TEST(Plots, APngHasTwoPixelsForEachAndAPanelForEachPlot) {
  const TempDir dir;
  const std::vector<Plot> plots{plot_of({3, 1, 2}), plot_of({0, 1})};
  ASSERT_TRUE(write_plots(dir / "two.png", plots).ok());
  const Pixels picture(dir / "two.png");
  ASSERT_TRUE(picture.good);
  EXPECT_EQ(picture.width, 2 * 760);
  EXPECT_EQ(picture.height, 2 * 2 * 290);
  EXPECT_EQ(picture.rgb.front(), 0xFFFFFFU);
  EXPECT_THAT(picture.rgb, testing::Contains(kFirstColour));
  // Nothing else is left in the folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(Plots, WhatIsNotFiniteLeavesAGap) {
  const TempDir dir;
  std::vector<double> y(101, 1.0);
  const auto covered = [&](const std::vector<double>& values) {
    EXPECT_TRUE(write_plots(dir / "gap.png", std::vector{plot_of(values)}).ok());
    const Pixels picture(dir / "gap.png");
    int columns = 0;
    for (int x = 0; x < picture.width; ++x) columns += picture.in_column(x, kFirstColour) > 0;
    return columns;
  };
  const int whole = covered(y);
  for (std::size_t i = 40; i <= 60; ++i) y[i] = i % 2 == 0 ? kNan : kInfinity;
  // From 39 to 61 nothing is drawn: 22 of 100 pieces.
  EXPECT_NEAR(covered(y), 0.78 * whole, 0.01 * whole);
}

TEST(Plots, AnSvgHasItsWordsAsText) {
  const TempDir dir;
  Plot plot = plot_of({1, 2});
  plot.curves[0].name = "a <b> & \"c\"";
  plot.curves.push_back({"\xff\x01 broken", {0, 1}, {2, 1}});
  ASSERT_TRUE(write_plots(dir / "one.SVG", std::vector{plot}).ok());
  const std::string svg = contents(dir / "one.SVG");
  EXPECT_THAT(svg, HasSubstr(">a &lt;b&gt; &amp; \"c\"</text>"));
  EXPECT_THAT(svg, HasSubstr(">\xEF\xBF\xBD\xEF\xBF\xBD broken</text>"));
  EXPECT_THAT(svg, HasSubstr(">title</text>"));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
}

// The numbers of attribute="…" in a piece of SVG.
std::vector<double> numbers(const std::string& element, const std::string& attribute) {
  const auto at = element.find(" " + attribute + "=\"");
  if (at == std::string::npos) return {};
  std::string text = element.substr(at + attribute.size() + 3);
  text.resize(text.find('"'));
  for (char& c : text) c = c == ',' ? ' ' : c;
  std::istringstream in(text);
  std::vector<double> out;
  for (double value = 0; in >> value;) out.push_back(value);
  return out;
}

TEST(Plots, TheLegendCoversNoCurve) {
  const TempDir dir;
  // Free in one corner after the other, and nowhere.
  for (int shape = 0; shape < 6; ++shape) {
    Curve curve{"a curve with a longer name", {}, {}};
    for (int i = 0; i <= 400; ++i) {
      const double x = i / 400.0;
      const double y[] = {x, 1 - x, std::sqrt(x), 1 - std::sqrt(x), std::sin(40 * x), i % 2 == 0 ? 1.0 : 0.0};
      curve.x.push_back(x);
      curve.y.push_back(y[shape]);
    }
    Curve other = curve;
    for (double& y : other.y) y *= 0.9;
    ASSERT_TRUE(write_plots(dir / "legend.svg", std::vector{Plot{"", "", "", false, false, {curve, other}}}).ok());
    std::istringstream svg(contents(dir / "legend.svg"));
    std::vector<std::string> boxes, curves;
    for (std::string line; std::getline(svg, line);) {
      if (line.starts_with("<rect")) boxes.push_back(line);
      if (line.starts_with("<polyline") && numbers(line, "points").size() > 100) curves.push_back(line);
    }
    ASSERT_EQ(boxes.size(), 2u) << "the paper and the legend";
    ASSERT_EQ(curves.size(), 2u);
    const std::string& box = boxes[1];
    const double left = numbers(box, "x")[0], top = numbers(box, "y")[0];
    const double right = left + numbers(box, "width")[0], bottom = top + numbers(box, "height")[0];
    EXPECT_GE(left, 0);
    EXPECT_LE(right, 760);
    for (const std::string& line : curves) {
      const auto points = numbers(line, "points");
      for (std::size_t i = 0; i < points.size(); i += 2) {
        ASSERT_FALSE(points[i] >= left && points[i] <= right && points[i + 1] >= top && points[i + 1] <= bottom) << shape;
      }
    }
  }
}

TEST(Plots, CurvesDifferInColourGreyOrDash) {
  const TempDir dir;
  Plot plot;
  for (int i = 0; i < 12; ++i) {
    Curve curve{"c" + std::to_string(i), {}, {}};
    for (int x = 0; x < 100; ++x) curve.x.push_back(x), curve.y.push_back(x * i);
    plot.curves.push_back(curve);
  }
  ASSERT_TRUE(write_plots(dir / "many.svg", std::vector{plot}).ok());
  std::istringstream svg(contents(dir / "many.svg"));
  std::set<std::string> looks;
  for (std::string line; std::getline(svg, line);) {
    if (line.starts_with("<polyline") && numbers(line, "points").size() > 100) looks.insert(line.substr(line.find("stroke=")));
  }
  EXPECT_EQ(looks.size(), 12u);
}

TEST(Plots, NothingToShowIsNoMistake) {
  const TempDir dir;
  Plot strange{"strange", "x", "y", true, true, {}};
  strange.curves.push_back({"empty", {}, {}});
  strange.curves.push_back({"none of it", {1, 2}, {kNan, -kInfinity}});
  strange.curves.push_back({"not above 0", {0, -1, 2}, {1, 1, 0}});
  std::vector<Plot> plots{Plot{}, strange, plot_of({}), plot_of({5}), plot_of({5, 5, 5}), plot_of({0, 0}), plot_of({kNan, 3, kNan})};
  strange.curves.push_back({"far apart", {1e-320, 1, 1e308}, {1e-140, 1, 1e140}});
  plots.push_back(strange);
  strange.log_x = strange.log_y = false;
  strange.curves.push_back({"further", {-1e308, 1e308, 0}, {1e308, -1e308, 1e149}});
  strange.curves.push_back({std::string(10000, 'n'), {1, 1 + 1e-16}, {1, 1 + 1e-16}});
  plots.push_back(strange);
  for (const char* name : {"strange.png", "strange.svg"}) {
    ASSERT_TRUE(write_plots(dir / name, plots).ok()) << name;
    EXPECT_TRUE(write_plots(dir / name, {}).ok()) << name;
  }
  for (const char* word : {"nan", "inf"}) EXPECT_EQ(contents(dir / "strange.svg").find(word), std::string::npos);
}

TEST(Plots, WhatCannotBeWrittenIsSaidAndLeavesTheOldFile) {
  const TempDir dir;
  const std::vector<Plot> plots{plot_of({1, 2})};
  for (const char* name : {"curves.jpg", "curves", ".png"}) {
    for (const auto& result : {write_plots(dir / name, plots), check_plot_file(dir / name)}) {
      ASSERT_FALSE(result.ok());
      EXPECT_EQ(result.error().kind, ErrorKind::kUsage);
      EXPECT_THAT(result.error().message, HasSubstr("has to end in .png or .svg"));
    }
  }
  for (const auto& result : {write_plots(dir / "no/where.png", plots), check_plot_file(dir / "no/where.png")}) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, ErrorKind::kUnexpected);
  }
  std::filesystem::create_directory(dir / "folder.png");
  EXPECT_FALSE(check_plot_file(dir / "folder.png").ok());
  EXPECT_TRUE(check_plot_file(dir / "new.svg").ok());
  EXPECT_FALSE(std::filesystem::exists(dir / "new.svg"));
  ASSERT_TRUE(write_plots(dir / "old.png", plots).ok());
  const std::string before = contents(dir / "old.png");
  EXPECT_FALSE(write_plots(dir / "old.png", std::vector<Plot>(200, plots[0])).ok()) << "higher than cairo can";
  EXPECT_EQ(contents(dir / "old.png"), before);
}

TEST(Plots, ACurvesNumbersGoInPairs) {
  const TempDir dir;
  Plot plot = plot_of({1, 2});
  plot.curves[0].x.push_back(3);
  EXPECT_THROW((void)write_plots(dir / "odd.png", std::vector{plot}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
