// An edit decision list, CMX 3600: every segment an edit of the same source, events as locators.
#include <algorithm>

#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"
#include "app/export/timecode.h"

namespace longtake {
namespace {

constexpr int kMostEdits = 999;  // the format has three digits for their numbers

class EditList final : public Exporter {
 public:
  explicit EditList(const ExportOptions& options) : options_(options) {}

  Result<std::string> write(const Outline& outline, std::vector<std::string>& notes) override {
    auto code = Timecode::make(options_.fps, options_.start_timecode);
    if (!code) return std::move(code).error();
    const std::string clip = one_line(outline.header.source);
    std::string out = fmt::format("TITLE: {}\nFCM: {}\n", clip, code->drop_frame() ? "DROP FRAME" : "NON-DROP FRAME");
    int edits = 0, too_short = 0;
    auto event = outline.events.begin();
    for (const Passage& one : outline.passages) {
      const std::int64_t from = code->frame_at(outline, one.start_pts), to = code->frame_at(outline, one.end_pts);
      if (from >= to) {
        ++too_short;
        continue;
      }
      if (++edits > kMostEdits) {
        return Error{ErrorKind::kInput,
                     fmt::format("an EDL holds {} edits and this result has {} segments: otio holds any number",
                                 kMostEdits, outline.passages.size())};
      }
      // The list plays the source from end to end: what is cut and where it goes have the same time codes.
      const std::string first = code->text(from), last = code->text(to);
      out += fmt::format("\n{0:03}  AX       V     C        {1} {2} {1} {2}\n* FROM CLIP NAME: {3}\n* COMMENT: {4}\n",
                         edits, first, last, clip, one_line(one.title));
      for (; event != outline.events.end() && event->event.pts < one.end_pts; ++event) {
        out += fmt::format("* LOC: {} RED     {}\n", code->text(code->frame_at(outline, event->event.pts)),
                           one_line(event->event.kind));
      }
    }
    if (too_short > 0) notes.push_back(fmt::format("{} segments shorter than a frame are left out", too_short));
    return out;
  }

 private:
  const ExportOptions options_;
};

}  // namespace

std::unique_ptr<Exporter> make_edl(const ExportOptions& options) { return std::make_unique<EditList>(options); }

}  // namespace longtake
