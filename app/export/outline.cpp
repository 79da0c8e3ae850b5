#include "app/export/outline.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/records/time.h"
#include "core/records/utf8.h"

namespace longtake {
namespace {

__extension__ using Int128 = __int128;

constexpr std::size_t kRecentFrames = 4096;  // an event is written some 8 frames of 25 a second after its span
constexpr std::size_t kNames = 3;
constexpr std::size_t kMostNameBytes = 300;
constexpr float kSureOfScene = 0.3f;  // below it a scene's name is a guess that misleads as a title

std::int64_t saturated(Int128 number) {
  constexpr auto kLow = std::numeric_limits<std::int64_t>::min(), kHigh = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp<Int128>(number, kLow, kHigh));
}

std::string shortened(std::string name) {
  if (name.size() <= kMostNameBytes) return name;
  std::string_view rest = name;
  while (name.size() - rest.size() < kMostNameBytes) rest.remove_prefix(next_utf8(rest).bytes);
  name.resize(name.size() - rest.size());
  return name + "…";
}

std::vector<NamedScore> best(const std::optional<std::vector<NamedScore>>& names) {
  std::vector<NamedScore> out;
  for (std::size_t i = 0; names && i < std::min(kNames, names->size()); ++i) {
    out.push_back({shortened((*names)[i].name), (*names)[i].score});
  }
  return out;
}

std::string title_of(const Passage& passage, std::size_t number) {
  if (!passage.labels.empty() && !passage.labels.front().name.empty()) return passage.labels.front().name;
  std::string out = fmt::format("Segment {}", number);
  if (!passage.scene.empty() && passage.scene.front().score >= kSureOfScene) out += ": " + passage.scene.front().name;
  return out;
}

Error too_many(const char* what) {
  return {ErrorKind::kInput,
          fmt::format("it has more than {} {}: analyze it in parts, see --from and --to", kMostOutlined, what)};
}

}  // namespace

std::int64_t Outline::since_zero(std::int64_t pts, std::int64_t scale) const {
  const Int128 ticks = static_cast<Int128>(pts) - zero_pts;
  if (ticks <= 0) return 0;
  const Int128 num = header.time_base[0], den = header.time_base[1];
  // Whole seconds first: what is left is below den, so nothing here leaves 128 bits.
  const Int128 scaled = ticks * num;
  return saturated(scaled / den * scale + scaled % den * scale / den);
}

std::int64_t Outline::ticks_since_zero(std::int64_t pts) const {
  return saturated(std::max<Int128>(static_cast<Int128>(pts) - zero_pts, 0));
}

double Outline::seconds(std::int64_t pts) const {
  return seconds_truncated(pts, header.time_base[0], header.time_base[1]);
}

Result<void> OutlineBuilder::take(const Record& record) {
  if (const auto* header = std::get_if<HeaderRecord>(&record)) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();  // what containers can say
    for (const std::int64_t part : header->time_base) {
      if (part < 1 || part > kMost) return Error{ErrorKind::kInput, "its time base is none"};
    }
    out_.header = *header;
    out_.header.source = shortened(header->source);
  } else if (const auto* frame = std::get_if<FrameRecord>(&record)) {
    see(*frame);
  } else if (const auto* event = std::get_if<EventRecord>(&record)) {
    if (out_.events.size() == kMostOutlined) return too_many("events");
    add(*event);
  } else if (const auto* segment = std::get_if<SegmentRecord>(&record)) {
    if (segments_.size() == kMostOutlined) return too_many("segments");
    add(*segment);
  } else if (const auto* gap = std::get_if<DiscontinuityRecord>(&record)) {
    if (out_.gaps.size() == kMostOutlined) return too_many("discontinuities");
    out_.gaps.push_back(*gap);
  } else if (const auto* end = std::get_if<EndRecord>(&record)) {
    out_.end = *end;
  }
  return {};
}

void OutlineBuilder::see(const FrameRecord& frame) {
  if (out_.frames++ == 0) out_.first_pts = frame.pts;
  recent_.push_back({frame.frame, frame.pts});
  if (recent_.size() > kRecentFrames) recent_.pop_front();
}

void OutlineBuilder::add(const EventRecord& event) {
  const auto seen = [&](std::int64_t frame) -> std::optional<std::int64_t> {
    const auto found = std::ranges::lower_bound(recent_, frame, {}, &SeenFrame::frame);
    if (found == recent_.end() || found->frame != frame) return std::nullopt;
    return found->pts;
  };
  const std::int64_t last = event.span[1];
  Happening out{event, seen(event.span[0]).value_or(event.pts), event.pts};
  out.event.kind = shortened(event.kind);
  if (const auto shown = seen(last)) out.end_pts = *shown;
  if (last < std::numeric_limits<std::int64_t>::max()) out.end_pts = seen(last + 1).value_or(out.end_pts);
  out.end_pts = std::max(out.start_pts, out.end_pts);
  out_.events.push_back(std::move(out));
}

void OutlineBuilder::add(const SegmentRecord& segment) {
  SegmentRecord kept = segment;
  kept.labels = best(segment.labels);
  kept.scene = best(segment.scene);
  segments_.push_back(std::move(kept));
}

// A segment ends where the next begins, and not with its own last frame, which is still shown. Where a gap follows or
// nothing does, that frame is taken to be shown as long as those before it.
void OutlineBuilder::close_passages() {
  std::ranges::stable_sort(segments_, {}, [](const SegmentRecord& segment) { return segment.pts[0]; });
  std::vector<std::int64_t> after_gaps;
  for (const DiscontinuityRecord& gap : out_.gaps) after_gaps.push_back(gap.pts);
  std::ranges::sort(after_gaps);

  Int128 interval = 1;
  if (recent_.size() > 1) interval = Int128{recent_.back().pts} - recent_[recent_.size() - 2].pts;
  out_.end_pts = recent_.empty() ? 0 : saturated(recent_.back().pts + std::max<Int128>(interval, 1));

  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const SegmentRecord& segment = segments_[i];
    Passage out{segment.first, segment.last, segment.pts[0], 0, {}, *segment.labels, *segment.scene, segment.surprise};
    const Int128 frames = Int128{segment.last} - segment.first;
    const Int128 own = frames > 0 ? (Int128{segment.pts[1]} - segment.pts[0]) / frames : interval;
    out.end_pts = saturated(Int128{segment.pts[1]} + std::max<Int128>(own, 1));
    if (i + 1 < segments_.size()) {
      const SegmentRecord& next = segments_[i + 1];
      const bool follows =
          Int128{next.first} - 1 == segment.last && !std::ranges::binary_search(after_gaps, next.pts[0]);
      out.end_pts = follows ? next.pts[0] : std::min(out.end_pts, next.pts[0]);
    } else if (!recent_.empty() && segment.pts[1] == recent_.back().pts) {
      out.end_pts = out_.end_pts;
    }
    if (out.end_pts <= out.start_pts)
      continue;  // two segments of one time: only a result that was tampered with has them
    out.title = title_of(out, out_.passages.size() + 1);
    out_.passages.push_back(std::move(out));
  }
  // What a result that breaks off has seen since its last segment.
  if (out_.end || recent_.empty()) return;
  Passage rest;
  rest.start_pts = out_.passages.empty() ? out_.first_pts : out_.passages.back().end_pts;
  rest.first = out_.passages.empty() ? 0 : saturated(Int128{out_.passages.back().last} + 1);
  rest.last = recent_.back().frame;
  rest.end_pts = out_.end_pts;
  if (rest.first > rest.last || rest.start_pts >= rest.end_pts) return;
  rest.title = title_of(rest, out_.passages.size() + 1);
  out_.passages.push_back(std::move(rest));
}

Outline OutlineBuilder::finish() && {
  close_passages();
  std::ranges::stable_sort(out_.events, {}, [](const Happening& one) { return one.event.pts; });
  out_.began_in_the_middle =
      std::ranges::any_of(out_.header.options, [](const auto& option) { return option.first == "from"; });
  out_.zero_pts = out_.began_in_the_middle ? 0 : out_.first_pts;
  return std::move(out_);
}

}  // namespace longtake
