#include "app/studio/edited_result.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "app/studio/result_lines.h"
#include "core/records/parse.h"
#include "core/store/atomic_file.h"

namespace longtake {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

Error stopped() { return {ErrorKind::kStopped, "stopped"}; }

// The first members of a frame's line.
struct FrameHead {
  Moment moment;
  float surprise = std::numeric_limits<float>::quiet_NaN();
};

// Out of a line as our programs write it, members in the order of the schema; none: it is no such line.
std::optional<FrameHead> frame_head(std::string_view line) {
  const auto skip = [&](std::string_view text) {
    if (!line.starts_with(text)) return false;
    line.remove_prefix(text.size());
    return true;
  };
  const auto number = [&](auto& out) {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return error == std::errc();
  };
  FrameHead out;
  const bool is_frame = skip("{\"type\":\"frame\",\"frame\":") && number(out.moment.frame) && skip(",\"pts\":") &&
                        number(out.moment.pts) && skip(",\"t\":") && number(out.moment.t);
  if (!is_frame) return std::nullopt;
  if (skip(",\"surprise\":")) (void)number(out.surprise);  // null: it stays NaN
  return out;
}

// What the frames say of the events and segments, asked in the order of time.
class Exact {
 public:
  Exact(std::vector<ListedEvent>& events, std::vector<ListedSegment>& segments)
      : events_(events), segments_(segments) {}

  void take(const FrameHead& frame) {
    for (; event_ < events_.size() && events_[event_].event.pts <= frame.moment.pts; ++event_) {
      if (events_[event_].edited) place(events_[event_].event, frame.moment.frame);
    }
    for (; segment_ < segments_.size() && segments_[segment_].segment.pts[0] <= frame.moment.pts; ++segment_) {
      finish_segment();
      SegmentRecord& begun = segments_[segment_].segment;
      begun.first = frame.moment.frame;
      begun.pts[0] = frame.moment.pts;
      begun.t[0] = frame.moment.t;
    }
    // Behind the last segment, whose end is always one that was found, the next one is still open.
    if (segment_ > 0 && segment_ == segments_.size() && frame.moment.frame > segments_.back().segment.last) return;
    last_ = frame.moment;
    if (std::isfinite(frame.surprise)) {
      const double surprise = frame.surprise;
      sum_ += surprise;
      most_ = frames_ == 0 ? surprise : std::max(most_, surprise);
      ++frames_;
    }
  }
  void finish() { finish_segment(); }  // behind the last frame

 private:
  static void place(EventRecord& event, std::int64_t frame) {
    const std::int64_t was = std::exchange(event.frame, frame);
    for (std::int64_t& end : event.span) end = end == was ? frame : end;
    event.span = {std::min(event.span[0], frame), std::max(event.span[1], frame)};
  }
  void finish_segment() {
    if (segment_ > 0 && !segments_[segment_ - 1].as_found) {
      SegmentRecord& ended = segments_[segment_ - 1].segment;
      ended.last = last_.frame;
      ended.pts[1] = last_.pts;
      ended.t[1] = last_.t;
      ended.surprise.reset();
      if (frames_ > 0) ended.surprise = {sum_ / static_cast<double>(frames_), most_};
    }
    sum_ = most_ = 0;
    frames_ = 0;
  }

  std::vector<ListedEvent>& events_;
  std::vector<ListedSegment>& segments_;
  std::size_t event_ = 0, segment_ = 0;  // that begin behind the frames so far
  Moment last_;
  double sum_ = 0, most_ = 0;
  std::int64_t frames_ = 0;  // of the open segment, that have a surprise
};

// Events and segments, each behind its last frame.
std::vector<std::pair<std::int64_t, Record>> in_order(const std::vector<ListedEvent>& events,
                                                      const std::vector<ListedSegment>& segments) {
  std::vector<std::pair<std::int64_t, Record>> out;
  for (const ListedEvent& one : events) {
    EventRecord event = one.event;
    if (one.event.name) event.kind = *one.event.name;
    out.emplace_back(std::max(event.frame, event.span[1]), std::move(event));
  }
  for (const ListedSegment& one : segments) out.emplace_back(one.segment.last, one.segment);
  std::ranges::stable_sort(out, {}, &std::pair<std::int64_t, Record>::first);
  return out;
}

}  // namespace

Result<void> write_edited_result(const std::filesystem::path& from, const std::filesystem::path& to,
                                 std::vector<ListedEvent> events, std::vector<ListedSegment> segments,
                                 const std::stop_token& stop) {
  Exact exact(events, segments);
  const auto known = for_each_line(from, [&](const std::string& line) {
    if (const auto frame = frame_head(line)) exact.take(*frame);
    return !stop.stop_requested();
  });
  if (!known) return known;
  if (stop.stop_requested()) return stopped();
  exact.finish();

  std::filesystem::path unfinished = to;
  unfinished += ".part";
  auto file = ResultFile::create(unfinished);
  if (!file) return std::move(file).error();
  const auto wanted = in_order(events, segments);
  std::size_t next = 0;
  std::string text;
  Result<void> written;
  const auto copied = for_each_line(from, [&](const std::string& line) {
    const auto frame = frame_head(line);
    std::optional<Record> record;
    if (!frame) {
      auto parsed = parse_json_line(line);
      if (parsed && *parsed) record = std::move(**parsed);
    }
    if (record && (std::holds_alternative<EventRecord>(*record) || std::holds_alternative<SegmentRecord>(*record)))
      return true;
    auto* end = record ? std::get_if<EndRecord>(&*record) : nullptr;
    if (end) {
      for (; next < wanted.size(); ++next) append_json_line(wanted[next].second, text);
      end->events = std::ssize(events);
      append_json_line(*end, text);
    } else if (auto* header = record ? std::get_if<HeaderRecord>(&*record) : nullptr) {
      header->options.emplace_back("edited", true);
      append_json_line(*header, text);
    } else {
      text += line;
      text += '\n';
    }
    for (; frame && next < wanted.size() && wanted[next].first <= frame->moment.frame; ++next) {
      append_json_line(wanted[next].second, text);
    }
    if (text.size() >= kPieceBytes) written = file->write(std::exchange(text, {}));
    return written.ok() && !stop.stop_requested();
  });
  std::error_code ec;
  if (stop.stop_requested()) {
    std::filesystem::remove(unfinished, ec);
    return stopped();
  }
  if (!copied) return copied;
  for (; next < wanted.size(); ++next) append_json_line(wanted[next].second, text);
  if (written) written = file->write(text);
  if (!written) return written;
  std::filesystem::rename(unfinished, to, ec);
  if (ec) return Error{ErrorKind::kUnexpected, fmt::format("cannot write \"{}\": {}", to.string(), ec.message())};
  return {};
}

}  // namespace longtake
