// A report to read: curves, a contact sheet, tables of segments and events, in one file that needs no other and no network.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "app/export/curves_gatherer.h"
#include "app/export/exporter.h"
#include "app/export/pictures.h"
#include "app/export/report_style.h"
#include "app/export/text.h"
#include "app/plot_canvas.h"
#include "core/media/jpeg.h"

namespace longtake {
namespace {

constexpr std::size_t kMostPictures = 60;  // of segments, and as many of events
constexpr std::size_t kMostRows = 2000;
constexpr int kPictureSize = 240;
constexpr int kJpegQuality = 5;

// The same file wherever it is shown: no script, nothing from outside.
constexpr char kHead[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n";

// What is between the tags of an SVG file: inside of HTML it needs no declaration and no name space.
std::string inline_svg(std::string svg) {
  svg.erase(0, svg.find("<svg"));
  return replaced(std::move(svg), " xmlns=\"http://www.w3.org/2000/svg\"", " role=\"img\" aria-label=\"Curves\"");
}

std::string number(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : std::string("–");
}

class Report final : public Exporter {
 public:
  explicit Report(const ExportOptions& options) : options_(options) {}

  void take(const Record& record) override { curves_.take(record); }

  Result<std::string> write(const Outline& outline, std::vector<std::string>& notes) override {
    if (auto made = make_pictures(outline, notes); !made) return std::move(made).error();
    auto svg = draw_plots(PictureFormat::kSvg, curves_.plots(outline));
    if (!svg) return std::move(svg).error();
    const std::string title = xml_text(outline.header.source);
    std::string out = fmt::format("{}<title>{} – Longtake</title>\n<style>{}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
                                  kHead, title, kReportStyle, title);
    out += summary(outline);
    out += "<h2>Curves</h2>\n<figure class=\"curves\">" + inline_svg(std::move(*svg)) +
           "<figcaption>Vertical lines are events.</figcaption></figure>\n";
    out += contact_sheet(outline);
    out += table_of_events(outline);
    out += table_of_segments(outline);
    return out + "</body>\n</html>\n";
  }

 private:
  static std::string clock(const Outline& outline, std::int64_t pts) {
    return clock_of_ms(outline.since_zero(pts, 1000), '.');
  }

  // In the middle of segments, at events.
  Result<void> make_pictures(const Outline& outline, std::vector<std::string>& notes) {
    if (options_.video.empty()) {
      notes.emplace_back("the report has no pictures, as the video does not lie beside the result: see --video");
      return {};
    }
    std::vector<std::int64_t> wanted;
    for (const std::size_t i : spread(outline.passages.size(), kMostPictures))
      wanted.push_back(middle(outline.passages[i]));
    for (const std::size_t i : spread(outline.events.size(), kMostPictures))
      wanted.push_back(outline.events[i].event.pts);
    std::ranges::sort(wanted);
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    const auto pictures = pictures_at(options_.video, outline, wanted, kPictureSize, options_.stop);
    if (!pictures && pictures.error().kind == ErrorKind::kStopped) return pictures.error();
    if (!pictures) {  // a report without pictures is worth more than none
      notes.push_back("the report has no pictures: " + pictures.error().message);
      return {};
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& picture = (*pictures)[i];
      if (!picture) continue;
      auto jpeg = encode_jpeg(*picture, kJpegQuality);
      if (!jpeg) return std::move(jpeg).error();
      pictures_[wanted[i]] = fmt::format("<img src=\"data:image/jpeg;base64,{}\" width=\"{}\" height=\"{}\" alt=\"\">",
                                         base64(*jpeg), picture->width, picture->height);
    }
    return {};
  }
  static std::int64_t middle(const Passage& one) { return std::midpoint(one.start_pts, one.end_pts - 1); }

  std::string picture(std::int64_t pts) const {
    const auto found = pictures_.find(pts);
    return found == pictures_.end() ? std::string() : found->second;
  }

  static std::string summary(const Outline& outline) {
    const HeaderRecord& header = outline.header;
    std::string out = "<dl>\n";
    const auto line = [&out](const char* what, const std::string& is) {
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", what, is);
    };
    line("Length",
         outline.frames > 0
             ? clock_of_ms(outline.since_zero(outline.end_pts, 1000) - outline.since_zero(outline.first_pts, 1000), '.')
             : std::string("nothing was seen"));
    line("Frames", fmt::format("{} of {} × {}", outline.frames, header.width, header.height));
    line("Segments", fmt::format("{}", outline.passages.size()));
    line("Events", fmt::format("{}", outline.events.size()));
    if (!outline.gaps.empty()) line("Gaps", fmt::format("{}", outline.gaps.size()));
    line("Model", fmt::format("{}{}", xml_text(header.model), header.trained ? "" : ", not trained"));
    line("Made by", "Longtake " + xml_text(header.longtake));
    if (outline.end && outline.end->decode_errors > 0) {
      line("Damaged", fmt::format("{} packets or pictures of the video", outline.end->decode_errors));
    }
    out += "</dl>\n";
    if (!outline.end) out += "<p class=\"note\">The result breaks off: this is what it holds.</p>\n";
    return out;
  }

  std::string contact_sheet(const Outline& outline) const {
    std::string out;
    for (const Passage& one : outline.passages) {
      const std::string image = picture(middle(one));
      if (image.empty()) continue;
      out += fmt::format("<figure>{}<figcaption><b>{}</b> {}</figcaption></figure>\n", image,
                         clock(outline, one.start_pts), xml_text(one.title));
    }
    if (out.empty()) return out;
    std::string heading = "Contact sheet";
    if (outline.passages.size() > kMostPictures)
      heading += fmt::format(": {} of {} segments", kMostPictures, outline.passages.size());
    return fmt::format("<h2>{}</h2>\n<div class=\"sheet\">\n{}</div>\n", heading, out);
  }

  static std::string more(std::size_t count) {
    if (count <= kMostRows) return {};
    return fmt::format("<p class=\"note\">{} more are in the result.</p>\n", count - kMostRows);
  }

  std::string table_of_events(const Outline& outline) const {
    if (outline.events.empty()) return "<h2>Events</h2>\n<p>None.</p>\n";
    std::string out =
        "<h2>Events</h2>\n<table>\n<thead><tr><th></th><th>Time</th><th>Kind</th><th>Score</th><th>Confidence</"
        "th><th>Frame</th>"
        "<th>Time stamp</th></tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < std::min(kMostRows, outline.events.size()); ++i) {
      const EventRecord& event = outline.events[i].event;
      out += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"words\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
          picture(event.pts), clock(outline, event.pts), xml_text(event.kind), number(event.score, 1),
          number(event.confidence, 2), event.frame, event.pts);
    }
    return out + "</tbody>\n</table>\n" + more(outline.events.size());
  }

  static std::string table_of_segments(const Outline& outline) {
    if (outline.passages.empty()) return "<h2>Segments</h2>\n<p>None.</p>\n";
    std::string out =
        "<h2>Segments</h2>\n<table>\n<thead><tr><th>From</th><th>To</th><th>What</th><th>In view</th><th>Surprise, "
        "mean</th>"
        "<th>Surprise, most</th><th>Frames</th></tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < std::min(kMostRows, outline.passages.size()); ++i) {
      const Passage& one = outline.passages[i];
      std::string scene;
      for (const NamedScore& seen : one.scene) {
        scene += fmt::format("{}{} {}", scene.empty() ? "" : ", ", xml_text(seen.name),
                             number(static_cast<double>(seen.score), 2));
      }
      out += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"words\">{}</td><td class=\"words\">{}</td><td>{}</td><td>{}</td>"
          "<td>{}–{}</td></tr>\n",
          clock(outline, one.start_pts), clock(outline, one.end_pts), xml_text(one.title), scene,
          one.surprise ? number(one.surprise->mean, 2) : "–", one.surprise ? number(one.surprise->max, 2) : "–",
          one.first, one.last);
    }
    return out + "</tbody>\n</table>\n" + more(outline.passages.size());
  }

  const ExportOptions options_;
  CurvesGatherer curves_;
  std::map<std::int64_t, std::string> pictures_;  // by their time stamp, as elements
};

}  // namespace

std::unique_ptr<Exporter> make_html(const ExportOptions& options) { return std::make_unique<Report>(options); }

}  // namespace longtake
