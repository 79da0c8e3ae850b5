#include "app/studio/colours.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace longtake {

QColor curve_colour(int i) {
  static const std::array<QColor, 6> kCurves{QColor(0, 114, 178),   QColor(230, 159, 0),  QColor(0, 158, 115),
                                             QColor(204, 121, 167), QColor(86, 180, 233), QColor(213, 94, 0)};
  return kCurves[static_cast<std::size_t>(i) % kCurves.size()];
}

QColor event_colour(const std::string& kind) {
  if (kind == "cut" || kind == "boundary") return QColor(213, 94, 0);
  if (kind == "gradual") return QColor(230, 159, 0);
  if (kind == "novelty") return QColor(0, 158, 115);
  if (kind == "return") return QColor(86, 180, 233);
  if (kind == "mark") return QColor(204, 121, 167);
  return QColor(153, 153, 153);  // black, frozen, no_signal, flash, light
}

QColor playhead_colour() { return QColor(220, 50, 47); }

QColor heat_colour(double share) {
  // Cividis at every eighth of its way.
  static constexpr std::array<std::array<double, 3>, 9> kSteps{{{0, 34, 78},
                                                                {18, 53, 112},
                                                                {59, 73, 108},
                                                                {87, 93, 109},
                                                                {112, 113, 115},
                                                                {138, 134, 120},
                                                                {165, 156, 116},
                                                                {195, 179, 105},
                                                                {254, 232, 56}}};
  const double at = std::clamp(share, 0.0, 1.0) * (kSteps.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), kSteps.size() - 2);
  const double part = at - static_cast<double>(i);
  const auto mix = [&](std::size_t c) {
    return static_cast<int>(std::lround(kSteps[i][c] + part * (kSteps[i + 1][c] - kSteps[i][c])));
  };
  return QColor(mix(0), mix(1), mix(2));
}

QPalette theme_palette(bool dark) {
  QPalette out;
  const QColor window = dark ? QColor(37, 39, 42) : QColor(243, 243, 244);
  const QColor base = dark ? QColor(28, 30, 32) : QColor(255, 255, 255);
  const QColor text = dark ? QColor(226, 228, 230) : QColor(28, 30, 33);
  const QColor faint = dark ? QColor(130, 134, 138) : QColor(125, 128, 132);
  out.setColor(QPalette::Window, window);
  out.setColor(QPalette::WindowText, text);
  out.setColor(QPalette::Base, base);
  out.setColor(QPalette::AlternateBase, dark ? QColor(33, 35, 38) : QColor(248, 248, 249));
  out.setColor(QPalette::Text, text);
  out.setColor(QPalette::PlaceholderText, faint);
  out.setColor(QPalette::Button, dark ? QColor(50, 53, 57) : QColor(236, 237, 238));
  out.setColor(QPalette::ButtonText, text);
  out.setColor(QPalette::ToolTipBase, base);
  out.setColor(QPalette::ToolTipText, text);
  out.setColor(QPalette::Highlight, QColor(0, 114, 178));
  out.setColor(QPalette::HighlightedText, Qt::white);
  out.setColor(QPalette::Link, dark ? QColor(86, 180, 233) : QColor(0, 114, 178));
  out.setColor(QPalette::Mid, dark ? QColor(70, 74, 78) : QColor(200, 202, 205));
  out.setColor(QPalette::Dark, dark ? QColor(20, 21, 23) : QColor(160, 163, 166));
  out.setColor(QPalette::Light, dark ? QColor(64, 67, 71) : QColor(255, 255, 255));
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    out.setColor(QPalette::Disabled, role, faint);
  return out;
}

}  // namespace longtake
