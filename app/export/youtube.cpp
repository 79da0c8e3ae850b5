// Chapters for the text below a video on YouTube. It takes them only if the first is at 0:00, there are three at least, and
// each is ten seconds long: shorter ones join the one before.
#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"

namespace longtake {
namespace {

constexpr std::int64_t kLeastSeconds = 10;
constexpr std::size_t kLeastChapters = 3;

class YouTube final : public Exporter {
 public:
  Result<std::string> write(const Outline& outline, std::vector<std::string>& notes) override {
    struct Chapter {
      std::int64_t second = 0;
      std::string title;
    };
    std::vector<Chapter> chapters;
    for (const Passage& one : outline.passages) {
      const std::int64_t second = outline.since_zero(one.start_pts, 1);
      if (chapters.empty() && second > 0) chapters.push_back({0, "Start"});
      if (!chapters.empty() && second - chapters.back().second < kLeastSeconds) continue;
      chapters.push_back({second, one_line(one.title)});
    }
    if (!outline.passages.empty()) {
      const std::int64_t end = outline.since_zero(outline.passages.back().end_pts, 1);
      while (chapters.size() > 1 && end - chapters.back().second < kLeastSeconds) chapters.pop_back();
    }
    if (chapters.size() < kLeastChapters) {
      notes.push_back(fmt::format("YouTube shows chapters only where there are {} of {} s at least; these are {}",
                                  kLeastChapters, kLeastSeconds, chapters.size()));
    }
    std::string out;
    for (const Chapter& one : chapters) {
      // Angle brackets are refused there.
      out +=
          fmt::format("{} {}\n", short_clock(one.second), replaced(replaced(one.title, "<", "\u2039"), ">", "\u203A"));
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Exporter> make_youtube(const ExportOptions&) { return std::make_unique<YouTube>(); }

}  // namespace longtake
