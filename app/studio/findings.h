// What an analysis has found so far: what views draw. On the GUI's thread.
#pragma once

#include <QObject>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/studio/curves.h"
#include "app/studio/event_model.h"
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
  // The next records of a result, in its order. `time_base`: of their pts.
  void take(std::vector<Record> records, Rational time_base);

  const Curves& curves() const { return curves_; }
  EventModel& events() { return events_; }
  const EventModel& events() const { return events_; }
  const std::vector<SegmentRecord>& segments() const { return segments_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  double last_t() const { return last_t_; }  // of the last frame

 Q_SIGNALS:
  void changed();

 private:
  Curves curves_;
  EventModel events_;
  std::vector<SegmentRecord> segments_;
  std::vector<Gap> gaps_;
  double last_t_ = 0;
};

}  // namespace longtake
