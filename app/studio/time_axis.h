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
  void clear();  // nothing is marked, shown or pointed at any more
  double begin() const { return begin_; }
  double end() const { return end_; }

  // Shows the newest so many seconds of what is watched, until something else is asked for; none: does not. 0: all of it.
  std::optional<double> followed() const { return followed_; }
  void follow(std::optional<double> seconds);
  void set_newest(double t);  // up to where it was watched

  double from() const { return from_; }
  double to() const { return to_; }
  void show(double from, double to);
  void show_all() { show(begin_, end_); }
  // factor below 1: nearer; the moment stays where it is in the view.
  void zoom(double factor, double around);
  void scroll(double seconds) { show(from_ + seconds, to_ + seconds); }

  double playhead() const { return playhead_; }
  void set_playhead(double t);

  // Where the mouse is, in whichever view; none: in none.
  std::optional<double> hover() const { return hover_; }
  void set_hover(std::optional<double> t);

  // In and out points: what is marked, labelled, exported or looped. In ≤ out.
  std::optional<double> in() const { return in_; }
  std::optional<double> out() const { return out_; }
  void set_in(std::optional<double> t);
  void set_out(std::optional<double> t);

 Q_SIGNALS:
  void range_changed();
  void followed_changed();
  void playhead_changed();
  void hover_changed();
  void marks_changed();

 private:
  void set_range(double from, double to);
  void show_newest();

  double begin_ = 0, end_ = 0;
  double from_ = 0, to_ = 0;
  double playhead_ = 0, newest_ = 0;
  std::optional<double> followed_;
  std::optional<double> hover_, in_, out_;
};

}  // namespace longtake
