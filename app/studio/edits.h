// What a person decided about one video, as plain data: changes to the events and segments that were found, marks, labels of
// stretches, and thresholds. It lies over a result and is never written into it, so that the same video can be analysed anew
// below it.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

// A frame by all its names. `frame` may be an estimate where a result is very long, see FrameTimes.
struct Moment {
  std::int64_t frame = 0, pts = 0;
  double t = 0;  // seconds
};

// The kind of event that a person adds.
inline constexpr std::string_view kMarkKind = "mark";

// By what an event is known as long as its video is: what was found, by its kind and pts; a mark, by a number of its own in
// place of a pts.
struct EventKey {
  std::string kind;
  std::int64_t pts = 0;

  friend auto operator<=>(const EventKey&, const EventKey&) = default;
};

// An event and what a person called it.
struct NamedEvent : EventRecord {
  std::optional<std::string> name{};
};

struct EventEdit {
  enum class Fate {
    kKept,        // stands in every list, whatever the thresholds
    kDeleted,     // not wanted
    kNotAnEvent,  // wrongly found
    kMerged,      // part of another one now
  };
  Fate fate = Fate::kKept;
  NamedEvent event;  // as the person left it

  friend bool operator==(const EventEdit&, const EventEdit&);
};

// At the start of a segment, by its pts.
struct SegmentEdit {
  enum class Start {
    kFound,   // by the analysis
    kSplit,   // by the person
    kMerged,  // found, but there is no longer one
  };
  Start start = Start::kFound;
  std::int64_t frame = 0;
  double t = 0;
  std::string name;  // empty: as found

  friend bool operator==(const SegmentEdit&, const SegmentEdit&) = default;
};

// "This stretch is …": an example to learn from. Frames with from_s <= t < to_s.
struct RangeLabel {
  std::string name;
  double from_s = 0, to_s = 0;

  friend bool operator==(const RangeLabel&, const RangeLabel&) = default;
};

struct Thresholds {
  std::optional<double> surprise;  // boundaries are where it is reached, in deviations; none: the engine's own rule
  double least_confidence = 0;     // of what was found, to be listed

  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

struct Choices {
  Thresholds thresholds;
  std::vector<RangeLabel> labels;
  std::array<std::string, 9> keys;  // the names that 1 … 9 give; empty: none

  friend bool operator==(const Choices&, const Choices&) = default;
};

struct Edits {
  static constexpr std::size_t kMostEvents = 100'000, kMostSegments = 100'000, kMostLabels = 1000;
  static constexpr std::size_t kNameBytes = 200;

  std::map<EventKey, EventEdit> events;
  std::map<std::int64_t, SegmentEdit> segments;
  Choices choices;

  friend bool operator==(const Edits&, const Edits&) = default;
  bool change_result() const {
    return !events.empty() || !segments.empty() || !choices.labels.empty() || choices.thresholds != Thresholds{};
  }
};

// As project.json has it. `video`: identity of the video's contents.
std::string to_json(const Edits& edits, std::string_view video);
// Errors: kInput, why it cannot be used, for the end of a sentence: it is damaged, of a newer program, of another video, or
// holds more than Edits may.
Result<Edits> parse_edits(std::string_view json, std::string_view video);

// What turns one state into another, and back. Of the size of the difference.
class EditsPatch {
 public:
  EditsPatch(const Edits& before, const Edits& after);

  bool empty() const;
  void redo(Edits& edits) const;
  void undo(Edits& edits) const;
  // `later` follows this: both as one.
  void append(const EditsPatch& later);

 private:
  template <class Value>
  struct Sides {
    std::optional<Value> before, after;  // none: there was, there is none
  };

  std::map<EventKey, Sides<EventEdit>> events_;
  std::map<std::int64_t, Sides<SegmentEdit>> segments_;
  Sides<Choices> choices_;
};

}  // namespace longtake
