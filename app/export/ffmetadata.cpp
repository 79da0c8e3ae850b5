// Chapters as FFmpeg reads them (`ffmpeg -i clip.mp4 -i chapters.txt -map_chapters 1 -c copy out.mkv`), in the video's own
// time base: exact at any frame rate.
#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"

namespace longtake {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    if (std::string_view("=;#\\\n").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

class FfMetadata final : public Exporter {
 public:
  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    std::string out = fmt::format(";FFMETADATA1\ntitle={}\n", escaped(outline.header.source));
    const auto& [num, den] = outline.header.time_base;
    for (const Passage& one : outline.passages) {
      out += fmt::format("\n[CHAPTER]\nTIMEBASE={}/{}\nSTART={}\nEND={}\ntitle={}\n", num, den,
                         outline.ticks_since_zero(one.start_pts), outline.ticks_since_zero(one.end_pts),
                         escaped(one.title));
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Exporter> make_ffmetadata(const ExportOptions&) { return std::make_unique<FfMetadata>(); }

}  // namespace longtake
