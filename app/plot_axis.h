// Which part of the numbers an axis shows, and where its ticks stand.
#pragma once

#include <string>
#include <vector>

namespace longtake {

struct Tick {
  double at = 0;
  std::string label;  // empty: a small tick between those that have one
};

struct Axis {
  bool log = false;
  double from = 0;  // from < to
  double to = 1;
  std::vector<Tick> ticks;  // within from … to, rising

  double place(double value) const;  // 0 at `from`, 1 at `to`
};

// Numbers that can be drawn: finite, above 0 on a log axis, and not so large that differences of two overflow.
bool drawable(double value, bool log);

// Shows least … most, which are drawable, with a margin of this share of the axis at either end. Ticks at 1, 2 or 5 times
// a power of ten; on log axes at powers of ten, and at 2 and 5 times them where there is room. About `labels` of them have
// a label.
Axis make_axis(double least, double most, bool log, double margin, int labels);

}  // namespace longtake
