// How widgets are drawn: as Qt's Fusion draws them, but for a box to tick, whose outline Fusion makes darker than the window
// and so invisible in a dark one.
#pragma once

class QStyle;

namespace longtake {

// Whoever sets it owns it.
QStyle* make_style();

}  // namespace longtake
