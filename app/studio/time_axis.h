// The stretch of time that all views show, and the moment that they mark: shared, so that they scroll and zoom as one.
#pragma once

#include <QObject>
#include <optional>
#include <utility>

namespace longtake {

class TimeAxis : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  // Seconds. The whole grows while a stream is watched; a view that shows all of it, or its end, goes on doing so.
  void set_whole(double from, double to);
  double begin() const { return begin_; }
  double end() const { return end_; }

  double from() const { return from_; }
  double to() const { return to_; }
  void show(double from, double to);
  void show_all() { show(begin_, end_); }
  // factor below 1: nearer; the moment stays where it is in the view.
  void zoom(double factor, double around);
  void scroll(double seconds) { show(from_ + seconds, to_ + seconds); }

  double playhead() const { return playhead_; }
  void set_playhead(double t);

  // In and out points: what is marked, labelled, exported or looped. In ≤ out.
  std::optional<double> in() const { return in_; }
  std::optional<double> out() const { return out_; }
  void set_in(std::optional<double> t);
  void set_out(std::optional<double> t);

 Q_SIGNALS:
  void range_changed();
  void playhead_changed();
  void marks_changed();

 private:
  double begin_ = 0, end_ = 0;
  double from_ = 0, to_ = 0;
  double playhead_ = 0;
  std::optional<double> in_, out_;
};

}  // namespace longtake
