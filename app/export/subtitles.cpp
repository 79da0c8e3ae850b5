// Segments as cues: WebVTT for browsers (a chapters track), SubRip for players.
#include <algorithm>

#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"

namespace longtake {
namespace {

struct Cue {
  std::int64_t from_ms = 0, to_ms = 0;
  std::string title;
};

// Segments that end within the millisecond that they begin in have no cue.
std::vector<Cue> cues_of(const Outline& outline) {
  std::vector<Cue> out;
  for (const Passage& one : outline.passages) {
    const std::int64_t from = outline.since_zero(one.start_pts, 1000), to = outline.since_zero(one.end_pts, 1000);
    if (from < to) out.push_back({from, to, one_line(one.title)});
  }
  return out;
}

class WebVtt final : public Exporter {
 public:
  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    std::string out = "WEBVTT\n";
    int number = 0;
    for (const Cue& cue : cues_of(outline)) {
      std::string text = replaced(cue.title, "&", "&amp;");
      text = replaced(replaced(std::move(text), "<", "&lt;"), ">", "&gt;");
      out += fmt::format("\n{}\n{} --> {}\n{}\n", ++number, clock_of_ms(cue.from_ms, '.'), clock_of_ms(cue.to_ms, '.'),
                         text);
    }
    return out;
  }
};

class SubRip final : public Exporter {
 public:
  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    std::string out;
    int number = 0;
    for (const Cue& cue : cues_of(outline)) {
      // SubRip has no way to write a "<" or "{" that players do not take for mark-up. These look the same.
      std::string text = replaced(replaced(cue.title, "<", "\u2039"), ">", "\u203A");
      text = replaced(replaced(std::move(text), "{", "("), "}", ")");
      out += fmt::format("{}{}\n{} --> {}\n{}\n", number > 0 ? "\n" : "", number + 1, clock_of_ms(cue.from_ms, ','),
                         clock_of_ms(cue.to_ms, ','), text);
      ++number;
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Exporter> make_webvtt(const ExportOptions&) { return std::make_unique<WebVtt>(); }
std::unique_ptr<Exporter> make_srt(const ExportOptions&) { return std::make_unique<SubRip>(); }

}  // namespace longtake
