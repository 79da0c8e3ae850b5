// Something new began, something known came back: events of what is in view, not of how it was filmed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/signals/observation.h"
#include "core/signals/robust_scale.h"
#include "core/signals/surprise.h"

namespace longtake {

// Note: New, or seen before
//   A change is a frame that is further from the mean of the 0.3 s before it than its own past lets one expect: the tail test
//   of SurpriseTest on a minute of past, at one false alarm in ten minutes, or at whatever bar gives the wanted events an hour.
//   While it goes on and behind it, each frame is held against what was kept of the time until kKnownSeconds before it began;
//   how much more unlike the nearest of that it is than frames ordinarily are to what was kept a second ago, in robust
//   deviations, is `sustained`, which stays high while the unusual stays. At kLevel or more something new has begun: a
//   `novelty`. Where the view settles below it, it is like something known: a `return`.
//
// A change teaches neither scale what is ordinary, and neither does what it leaves behind, until that is known again or has
// been in view for kAccustomSeconds. Who wants N events an hour has a bar instead, in deviations: every event raises it by a
// fifth, and 1/N of an hour lowers it by as much; so the long run has N events an hour, if so much happens at all.
//
// A change of shot has an event of its own: there is no novelty where it begins in one, but there is a return. Flashes, changes
// of light, black pictures and lost signals are neither. All of these are known later than the change, so an event comes
// kWaitSeconds and kWaitFrames after the view has settled.
//
// `score` is how far the change stands out, in deviations, and `confidence` one less the chance of that in the past's own
// tail. A novelty is at the frame where the change begins and spans what is unlike all that was known; a return is at the first
// frame that is known again and spans the change.
//
// Streaming, one thread, fixed memory, in seconds of video.
class Occurrences {
 public:
  static constexpr double kKnownSeconds = 5;
  static constexpr double kNearSeconds = 1;
  static constexpr double kLevel = 3;
  static constexpr double kSettleSeconds = 0.3;  // without a frame that stands out
  static constexpr double kLongestSeconds = 3;   // then a change ends all the same
  static constexpr double kAccustomSeconds = 30;
  static constexpr double kLeastPast = 2;   // seconds that have to be known before anything can stand out
  static constexpr double kSpacing = 0.25;  // seconds between the samples of a past
  static constexpr double kFirstBar = 8, kLowestBar = 2, kHighestBar = 50;  // deviations
  static constexpr double kRaise = 1.2;
  static constexpr double kWaitSeconds = 1.05;
  static constexpr std::int64_t kWaitFrames = kShotDelay + 4;

  // `an_hour`: events that are wanted; none: the test at its own level.
  explicit Occurrences(std::optional<double> an_hour = std::nullopt) : an_hour_(an_hour) {}

  // `blank`: the picture is black or lost. Gives the frame's `sustained`; none where nothing is old enough.
  std::optional<double> step(const Observation& frame, bool blank, std::vector<EventRecord>& events);
  // Another event that may be why the view changed.
  void explain(const EventRecord& event);
  // The stream ends or breaks off here: what is open becomes certain.
  void flush(std::vector<EventRecord>& events);

  template <class Archive>
  void archive(Archive& a) {
    a("change", change_);
    a("ordinary", ordinary_);
    a("bar", bar_);
    a("watched", watched_);
    a("blank_until", blank_until_);
    a("strange", strange_);
    a("strange_since", strange_since_);
    a("known_until", known_until_);
    a("is_open", is_open_);
    a("open", open_);
    a("waiting", waiting_count_);
    constexpr std::array<const char*, kWaiting> kNames{"0", "1", "2", "3"};
    for (std::size_t i = 0; i < kWaiting; ++i) a(kNames[i], waiting_[i]);
  }

 private:
  struct Moment {
    std::int64_t frame = 0, pts = 0;
    double t = 0;

    template <class Archive>
    void archive(Archive& a) {
      a("frame", frame);
      a("pts", pts);
      a("t", t);
    }
  };
  struct Change {
    Moment first, known, last;    // it begins; the view is known from here on; it has settled
    double began = 0, moved = 0;  // seconds watched: when it began, when a frame last stood out
    double score = 0, confidence = 0;
    bool was_strange = false;        // what was in view before it
    bool is_known = false;           // what is in view now
    std::int64_t last_strange = -1;  // frame; -1: none was
    bool in_shot_change = false, in_light = false;

    template <class Archive>
    void archive(Archive& a) {
      a("first", first);
      a("known", known);
      a("last", last);
      a("began", began);
      a("moved", moved);
      a("score", score);
      a("confidence", confidence);
      a("was_strange", was_strange);
      a("is_known", is_known);
      a("last_strange", last_strange);
      a("in_shot_change", in_shot_change);
      a("in_light", in_light);
    }
  };

  void go_on(const Observation& frame, const SurpriseTest::Verdict& verdict, std::optional<double> sustained);
  void settle(std::vector<EventRecord>& events);
  void tell_first(std::vector<EventRecord>& events);

  std::optional<double> an_hour_;
  SurpriseTest change_{kSpacing};
  RobustScale ordinary_{kSpacing};
  double bar_ = kFirstBar;
  double watched_ = 0;
  double blank_until_ = 0;
  bool strange_ = false;  // what is in view was not known when the last change began …
  double strange_since_ = 0;
  double known_until_ = 0;  // … and known is what was kept by then; on the clock of `watched_`, as are all of these
  bool is_open_ = false;
  Change open_;
  // Settled ones, oldest first, that may still be explained.
  static constexpr std::size_t kWaiting = 4;
  std::array<Change, kWaiting> waiting_;
  std::int64_t waiting_count_ = 0;
};

}  // namespace longtake
