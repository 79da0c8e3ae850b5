// Colours that people who see few of them can tell apart (Okabe and Ito, 2008), for light and dark windows.
#pragma once

#include <QColor>
#include <QPalette>
#include <QString>

namespace longtake {

// Of the i-th curve of a view.
QColor curve_colour(int i);
// Of an event's mark.
QColor event_colour(const std::string& kind);
QColor playhead_colour();
// 0 … 1 as in a heat map: from nearly black to light yellow, in even steps of brightness (cividis, Nuñez et al. 2018).
QColor heat_colour(double share);

QPalette theme_palette(bool dark);

}  // namespace longtake
