// What an analysis has found so far, and what a person made of it: what views draw. On the GUI's thread.
#pragma once

#include <QObject>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/studio/curves.h"
#include "app/studio/event_model.h"
#include "app/studio/put_together.h"
#include "app/studio/segment_model.h"
#include "app/studio/surprise_levels.h"
#include "core/media/source.h"
#include "core/records/records.h"

namespace longtake {

class Findings : public QObject {
  Q_OBJECT

 public:
  // A stretch of which nothing was seen, in seconds.
  struct Gap {
    double from = 0, to = 0;
  };

  using QObject::QObject;

  void clear();
  // The next records of a result, in its order. `time_base`: of their pts, if there is no header among them to say so.
  void take(std::vector<Record> records, Rational time_base);
  // What a person decided lies over what is found from now on.
  void edit(const Edits& edits);
  // And what was learned from the stretches that the person named.
  void label(LabelledMoments moments);

  const Curves& curves() const { return curves_; }
  const SurpriseLevels& levels() const { return levels_; }
  // As the person sees them.
  EventModel& events() { return events_; }
  const EventModel& events() const { return events_; }
  SegmentModel& segment_rows() { return segments_; }
  auto segments() const { return segments_.segments(); }
  // Where surprise reaches the threshold, if one is set.
  const std::vector<EventRecord>& crossings() const { return crossings_; }
  // As they were found.
  const std::vector<EventRecord>& found_events() const { return found_events_; }
  const std::vector<SegmentRecord>& found_segments() const { return found_segments_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  bool is_labelled() const { return !moments_.names.empty(); }
  double last_t() const { return last_t_; }  // of the last frame
  double watched_s() const;                  // seconds of video, gaps left out

 Q_SIGNALS:
  void changed();

 private:
  void list_events();
  void list_segments();
  Moment before(const Moment& moment) const;
  Moment from(double t) const;
  std::int64_t pts_at(double t) const;

  Curves curves_;
  SurpriseLevels levels_;
  std::vector<EventRecord> found_events_, crossings_;
  std::vector<SegmentRecord> found_segments_;
  Edits edits_;
  LabelledMoments moments_;
  EventModel events_;
  SegmentModel segments_;
  std::vector<Gap> gaps_;
  Rational time_base_;
  double first_t_ = 0, last_t_ = 0;
};

}  // namespace longtake
