#include "app/studio/edits.h"

#include <tuple>
#include <utility>

namespace longtake {
namespace {

auto tied(const NamedEvent& e) { return std::tie(e.kind, e.frame, e.pts, e.t, e.score, e.confidence, e.span, e.name); }

template <class Map, class Sides>
void compare(const Map& before, const Map& after, Sides& out) {
  auto b = before.begin();
  auto a = after.begin();
  while (b != before.end() || a != after.end()) {
    if (a == after.end() || (b != before.end() && b->first < a->first)) {
      out[b->first].before = b->second;
      ++b;
    } else if (b == before.end() || a->first < b->first) {
      out[a->first].after = a->second;
      ++a;
    } else {
      if (!(b->second == a->second)) out[b->first] = {b->second, a->second};
      ++b;
      ++a;
    }
  }
}

template <class Map, class Sides, class Which>
void put(Map& map, const Sides& sides, Which which) {
  for (const auto& [key, side] : sides) {
    if (const auto& value = side.*which) {
      map.insert_or_assign(key, *value);
    } else {
      map.erase(key);
    }
  }
}

template <class Sides>
void follow(Sides& sides, const Sides& later) {
  for (const auto& [key, side] : later) {
    const auto [at, is_new] = sides.try_emplace(key, side);
    if (!is_new) at->second.after = side.after;
  }
}

}  // namespace

bool operator==(const EventEdit& a, const EventEdit& b) { return a.fate == b.fate && tied(a.event) == tied(b.event); }

EditsPatch::EditsPatch(const Edits& before, const Edits& after) {
  compare(before.events, after.events, events_);
  compare(before.segments, after.segments, segments_);
  if (!(before.choices == after.choices)) choices_ = {before.choices, after.choices};
}

bool EditsPatch::empty() const { return events_.empty() && segments_.empty() && !choices_.after; }

void EditsPatch::redo(Edits& edits) const {
  put(edits.events, events_, &Sides<EventEdit>::after);
  put(edits.segments, segments_, &Sides<SegmentEdit>::after);
  if (choices_.after) edits.choices = *choices_.after;
}

void EditsPatch::undo(Edits& edits) const {
  put(edits.events, events_, &Sides<EventEdit>::before);
  put(edits.segments, segments_, &Sides<SegmentEdit>::before);
  if (choices_.before) edits.choices = *choices_.before;
}

void EditsPatch::append(const EditsPatch& later) {
  follow(events_, later.events_);
  follow(segments_, later.segments_);
  if (later.choices_.after) {
    if (!choices_.before) choices_.before = later.choices_.before;
    choices_.after = later.choices_.after;
  }
}

}  // namespace longtake
