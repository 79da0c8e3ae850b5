#include "app/studio/put_together.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "core/signals/boundary_detector.h"
#include "core/signals/label_segmenter.h"

namespace longtake {
namespace {

bool is_shot_change(const EventRecord& event) { return event.kind == "cut" || event.kind == "gradual"; }

// Frames that changes of shot are made of, in order; a boundary so near to one is the same event.
std::vector<std::array<std::int64_t, 2>> shot_changes(std::span<const EventRecord> found) {
  std::vector<std::array<std::int64_t, 2>> out;
  for (const EventRecord& event : found) {
    if (!is_shot_change(event)) continue;
    constexpr std::int64_t kNear = BoundaryDetector::kConfirmFrames;
    out.push_back({std::min(event.span[0], event.frame) - kNear, std::max(event.span[1], event.frame) + kNear});
  }
  std::ranges::sort(out);
  return out;
}

// Those that the person made, and where the examples begin and end.
std::map<std::int64_t, SegmentEdit> starts(const Edits& edits, const Frames& frames) {
  std::map<std::int64_t, SegmentEdit> out = edits.segments;
  for (const RangeLabel& label : edits.choices.labels) {
    for (const double t : {label.from_s, label.to_s}) {
      const Moment start = frames.from(t);
      SegmentEdit& edit = out[start.pts];
      if (edit.start != SegmentEdit::Start::kFound) continue;  // what the person made of it
      edit.start = SegmentEdit::Start::kSplit;
      edit.frame = start.frame;
      edit.t = start.t;
    }
  }
  return out;
}

// Of the last example that it begins in; empty: of none.
std::string example_name(const SegmentRecord& segment, const std::vector<RangeLabel>& labels) {
  constexpr double kSameTime_s = 5e-4;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    if (label->from_s - kSameTime_s <= segment.t[0] && segment.t[0] < label->to_s) return label->name;
  }
  return {};
}

}  // namespace

bool operator==(const ListedEvent& a, const ListedEvent& b) {
  return a.key == b.key && a.edited == b.edited &&
         EventEdit{EventEdit::Fate::kKept, a.event} == EventEdit{EventEdit::Fate::kKept, b.event};
}

bool operator==(const ListedSegment& a, const ListedSegment& b) {
  std::string lines[2];
  append_json_line(a.segment, lines[0]);
  append_json_line(b.segment, lines[1]);
  return a.as_found == b.as_found && a.named == b.named && lines[0] == lines[1];
}

std::vector<ListedEvent> put_together(std::span<const EventRecord> found, std::span<const EventRecord> crossings,
                                      const Edits& edits) {
  std::vector<ListedEvent> out;
  const Thresholds& thresholds = edits.choices.thresholds;
  const auto list = [&](const EventRecord& event) {
    EventKey key{event.kind, event.pts};
    if (edits.events.contains(key)) return;
    out.push_back({std::move(key), NamedEvent{event}, false});
  };
  for (const EventRecord& event : found) {
    const bool decided_anew = thresholds.surprise && event.kind == "boundary";
    if (!decided_anew && event.confidence >= thresholds.least_confidence) list(event);
  }
  const auto changes = shot_changes(found);
  std::size_t next = 0;
  for (const EventRecord& event : crossings) {
    while (next < changes.size() && changes[next][1] < event.frame) ++next;
    const bool explained = next < changes.size() && changes[next][0] <= event.frame;
    if (!explained) list(event);
  }
  for (const auto& [key, edit] : edits.events) {
    if (edit.fate == EventEdit::Fate::kKept) out.push_back({key, edit.event, true});
  }
  std::ranges::sort(out, [](const ListedEvent& a, const ListedEvent& b) {
    return std::tie(a.event.pts, a.key.kind, a.key.pts) < std::tie(b.event.pts, b.key.kind, b.key.pts);
  });
  return out;
}

std::vector<ListedSegment> put_together(std::span<const SegmentRecord> found, const Edits& edits,
                                        const Frames& frames) {
  const auto edited = starts(edits, frames);
  std::vector<ListedSegment> out;
  std::int64_t most_frames = 0;  // of the last one's, from one that was found
  const auto extend = [&](const SegmentRecord& from, bool begins) {
    if (begins) {
      out.push_back({from});
      most_frames = from.last - from.first + 1;
      return;
    }
    ListedSegment& whole = out.back();
    whole.as_found = false;
    SegmentRecord joined = from.last - from.first + 1 > most_frames ? from : whole.segment;
    most_frames = std::max(most_frames, from.last - from.first + 1);
    joined.first = whole.segment.first;
    joined.pts[0] = whole.segment.pts[0];
    joined.t[0] = whole.segment.t[0];
    joined.last = from.last;
    joined.pts[1] = from.pts[1];
    joined.t[1] = from.t[1];
    whole.segment = std::move(joined);
  };
  for (const SegmentRecord& one : found) {
    const auto edit = edited.find(one.pts[0]);
    bool begins = out.empty() || edit == edited.end() || edit->second.start != SegmentEdit::Start::kMerged;
    SegmentRecord rest = one;
    bool whole = true;
    const auto end = edited.upper_bound(one.pts[1]);
    for (auto at = edited.upper_bound(one.pts[0]); at != end; ++at) {
      if (at->second.start != SegmentEdit::Start::kSplit) continue;
      const Moment cut{at->second.frame, at->first, at->second.t};
      const Moment last = frames.before(cut);
      SegmentRecord part = rest;
      part.last = last.frame;
      part.pts[1] = last.pts;
      part.t[1] = last.t;
      extend(part, begins);
      out.back().as_found = false;
      begins = true;
      whole = false;
      rest.first = cut.frame;
      rest.pts[0] = cut.pts;
      rest.t[0] = cut.t;
    }
    extend(rest, begins);
    if (!whole) out.back().as_found = false;
  }
  for (ListedSegment& one : out) {
    const auto edit = edited.find(one.segment.pts[0]);
    std::string name = edit == edited.end() ? std::string() : edit->second.name;
    if (name.empty()) name = example_name(one.segment, edits.choices.labels);
    if (name.empty()) continue;
    one.segment.labels = std::vector<NamedScore>{{std::move(name), 1}};
    one.named = true;
  }
  return out;
}

void label_segments(const LabelledMoments& moments, std::vector<ListedSegment>& segments) {
  const std::size_t labels = moments.names.size();
  if (labels == 0) return;
  const std::size_t judged = moments.scores.size() / labels;
  for (ListedSegment& one : segments) {
    if (one.named) continue;
    const auto first = std::ranges::lower_bound(moments.t, one.segment.t[0]) - moments.t.begin();
    std::vector<float> means(labels, 0);
    float n = 0;
    for (auto i = static_cast<std::size_t>(first); i < judged && moments.t[i] <= one.segment.t[1]; ++i, ++n) {
      for (std::size_t k = 0; k < labels; ++k) means[k] += moments.scores[i * labels + k];
    }
    if (n == 0) continue;
    for (float& mean : means) mean /= n;
    one.segment.labels = named_labels(moments.names, means);
  }
}

}  // namespace longtake
