// Keys that a widget needs itself while it has the focus, before they are shortcuts of the window.
#pragma once

#include <Qt>
#include <vector>

class QWidget;

namespace longtake {

std::vector<Qt::Key> moving_keys();    // through the rows of a list
std::vector<Qt::Key> pressing_keys();  // a button, a row

void keep_keys(QWidget& widget, std::vector<Qt::Key> keys);

}  // namespace longtake
