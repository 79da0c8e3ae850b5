// The list that a person sees and takes home: what was found, decided anew by the thresholds, changed and added to by hand.
// Pure functions; any thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "app/studio/edits.h"
#include "app/studio/labelled_moments.h"
#include "core/records/records.h"

namespace longtake {

struct ListedEvent {
  EventKey key;
  NamedEvent event;
  bool edited = false;  // by a person

  friend bool operator==(const ListedEvent&, const ListedEvent&);
};

// In the order of time. `crossings`: of Thresholds::surprise, if it is set (see SurpriseLevels); they take the place of the
// boundaries that were found, and one next to a cut or gradual change is that change.
// What a person touched is there whatever the thresholds; what is below them is left out.
std::vector<ListedEvent> put_together(std::span<const EventRecord> found, std::span<const EventRecord> crossings,
                                      const Edits& edits);

// A segment as it stands. What is not known of its parts comes from the found one that has most of its frames.
struct ListedSegment {
  SegmentRecord segment;
  bool as_found = true;  // from its first frame to its last
  bool named = false;    // by a person

  friend bool operator==(const ListedSegment&, const ListedSegment&);
};

// Frames of which edits say nothing.
struct Frames {
  std::function<Moment(const Moment&)> before;  // the one before
  std::function<Moment(double t_s)> from;       // the first that is not earlier
};
// A stretch that a person named as an example is a segment of its own, unless the person joined it with what is before it.
std::vector<ListedSegment> put_together(std::span<const SegmentRecord> found, const Edits& edits, const Frames& frames);

// Gives each segment that a person did not name the means of its moments' labels, if a moment of it was looked at.
void label_segments(const LabelledMoments& moments, std::vector<ListedSegment>& segments);

}  // namespace longtake
