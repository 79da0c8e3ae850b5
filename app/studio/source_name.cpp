#include "app/studio/source_name.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QStringList>
#include <QUrl>

#include "core/media/location.h"

namespace longtake {
namespace {

bool is_url(const QString& uri) { return uri.contains(QStringLiteral("://")); }

// Those that FFmpeg of Debian 12 reads video from.
const QStringList& schemes() {
  static const QStringList kSchemes{QStringLiteral("http"),  QStringLiteral("https"), QStringLiteral("rtsp"),
                                    QStringLiteral("rtsps"), QStringLiteral("rtmp"),  QStringLiteral("rtmps"),
                                    QStringLiteral("srt"),   QStringLiteral("udp"),   QStringLiteral("rtp"),
                                    QStringLiteral("tcp"),   QStringLiteral("ftp"),   QStringLiteral("file")};
  return kSchemes;
}

}  // namespace

QString shown_name(const QString& uri) {
  if (is_url(uri)) return QString::fromStdString(without_secrets(uri.toStdString()));
  const QString name = QFileInfo(uri).fileName();
  return name.isEmpty() ? uri : name;
}

QString kept_name(const QString& uri) {
  if (uri == QStringLiteral("-")) return {};
  if (!is_url(uri)) return QFileInfo(uri).absoluteFilePath();
  if (without_secrets(uri.toStdString()) == uri.toStdString()) return uri;
  QUrl url(uri, QUrl::StrictMode);
  if (!url.isValid() || url.host().isEmpty()) return {};
  url.setPassword({});
  if (url.hasQuery()) url.setQuery(QStringLiteral(""));
  return url.toString(QUrl::FullyEncoded);
}

bool is_incomplete(const QString& kept) {
  if (!is_url(kept)) return false;
  const QUrl url(kept, QUrl::StrictMode);
  return (!url.userName().isEmpty() && url.password().isEmpty()) || kept.endsWith(QLatin1Char('?'));
}

QString url_complaint(const QString& url) {
  const auto tr = [](const char* text) { return QCoreApplication::translate("source_name", text); };
  if (url.isEmpty()) return tr("Type or paste an address.");
  const auto end = url.indexOf(QStringLiteral("://"));
  if (end < 1) return tr("An address begins with what carries it, as in rtsp://camera/stream.");
  const QString scheme = url.left(end).toLower();
  if (!schemes().contains(scheme)) {
    return tr("“%1” is not known; these are: %2.").arg(scheme, schemes().join(QStringLiteral(", ")));
  }
  for (const QChar c : url) {
    if (c.isSpace() || !c.isPrint()) return tr("An address has no blanks; write %20 for one.");
  }
  if (scheme != QStringLiteral("file") && url.mid(end + 3).section(QLatin1Char('/'), 0, 0).isEmpty()) {
    return tr("The name of the server is missing, as in %1://server/video.").arg(scheme);
  }
  return {};
}

}  // namespace longtake
