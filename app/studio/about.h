// What this program is, which versions it runs with, and under which licences all of it stands.
#pragma once

#include <QString>

class QWidget;

namespace longtake {

QString about_text();
void show_about(QWidget* parent);

}  // namespace longtake
