// The program's sign, as assets/desktop/longtake-studio.svg has it; drawn here, as Qt reads SVG with a plugin only.
#pragma once

#include <QIcon>

class QPainter;

namespace longtake {

// Into a square of 128 units.
void paint_sign(QPainter& painter);
QIcon window_icon();

}  // namespace longtake
