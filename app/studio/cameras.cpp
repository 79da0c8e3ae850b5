#include "app/studio/cameras.h"

#include <QDir>
#include <QFile>
#include <algorithm>

namespace longtake {
namespace {

QString first_line(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readLine(256)).trimmed() : QString();
}

int number_of(const QString& entry) { return entry.mid(5).toInt(); }  // behind "video"

}  // namespace

QList<Camera> find_cameras(const QString& root) {
  QStringList entries =
      QDir(root + QStringLiteral("/dev")).entryList({QStringLiteral("video[0-9]*")}, QDir::System | QDir::Files);
  std::ranges::sort(entries, {}, number_of);
  QList<Camera> out;
  for (const QString& entry : entries) {
    const QString about = root + QStringLiteral("/sys/class/video4linux/") + entry;
    // Of the devices of one camera the one with index 0 gives its pictures.
    if (const QString index = first_line(about + QStringLiteral("/index"));
        !index.isEmpty() && index != QStringLiteral("0"))
      continue;
    const QString device = QStringLiteral("/dev/") + entry;
    const QString name = first_line(about + QStringLiteral("/name"));
    out.append({device, name.isEmpty() ? device : name});
  }
  return out;
}

}  // namespace longtake
