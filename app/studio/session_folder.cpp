#include "app/studio/session_folder.h"

#include <QCryptographicHash>
#include <QDir>

#include "models/memory_file.h"

namespace longtake {
namespace {

constexpr int kDigits = 24;

}  // namespace

QString sessions_folder() {
  const QString state = qEnvironmentVariable("XDG_STATE_HOME");
  const QString root = state.isEmpty() ? QDir::homePath() + QStringLiteral("/.local/state") : state;
  return root + QStringLiteral("/longtake/sessions");
}

QString session_folder(const QString& uri) {
  const QString contents = QString::fromStdString(source_key(uri.toStdString())).left(kDigits);
  return contents.isEmpty() ? stream_folder(uri) : sessions_folder() + QLatin1Char('/') + contents;
}

QString stream_folder(const QString& uri) {
  // A hash, as a URL may hold a password.
  const QByteArray name = QCryptographicHash::hash(uri.toUtf8(), QCryptographicHash::Sha256).toHex().left(kDigits);
  return sessions_folder() + QStringLiteral("/stream-") + QString::fromLatin1(name);
}

}  // namespace longtake
