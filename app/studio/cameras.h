// The cameras of this machine, as Linux has them now.
#pragma once

#include <QList>
#include <QString>

namespace longtake {

struct Camera {
  QString device;  // /dev/video0
  QString name;    // as the kernel has it; the device's if it has none
};

// Of /dev/video*, in the order of their numbers, those that give pictures (a camera's second device gives data about them).
// `root`: for tests, in front of /dev and /sys.
QList<Camera> find_cameras(const QString& root = {});

}  // namespace longtake
