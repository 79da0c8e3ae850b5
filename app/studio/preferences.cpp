#include "app/studio/preferences.h"

#include <QApplication>
#include <QDir>
#include <QPalette>
#include <algorithm>

#include "app/studio/colours.h"
#include "app/studio/source_name.h"

namespace longtake {
namespace {

QString configuration_file() {
  const QString config = qEnvironmentVariable("XDG_CONFIG_HOME");
  const QString root = config.isEmpty() ? QDir::homePath() + QStringLiteral("/.config") : config;
  return root + QStringLiteral("/longtake/studio.ini");
}

const QString kTheme = QStringLiteral("theme"), kThreads = QStringLiteral("threads"), kModel = QStringLiteral("model"),
              kRecent = QStringLiteral("recent"), kGeometry = QStringLiteral("window/geometry"),
              kLayout = QStringLiteral("window/layout");

// '/' would make groups of it.
QString key_of(QString action) {
  return QStringLiteral("keys/") + action.replace(QLatin1Char('/'), QStringLiteral(": "));
}

}  // namespace

Preferences::Preferences(Kept kept) {
  if (kept == Kept::kOnDisk) store_.emplace(configuration_file(), QSettings::IniFormat);
}

QVariant Preferences::value(const QString& key) const { return store_ ? store_->value(key) : QVariant(); }
void Preferences::set_value(const QString& key, const QVariant& value) {
  if (store_) store_->setValue(key, value);
}
void Preferences::remove(const QString& key) {
  if (store_) store_->remove(key);
}

Theme Preferences::theme() const {
  const QString name = value(kTheme).toString();
  if (name == QStringLiteral("light")) return Theme::kLight;
  return name == QStringLiteral("dark") ? Theme::kDark : Theme::kSystem;
}

void Preferences::set_theme(Theme theme) {
  if (theme == Theme::kSystem) return remove(kTheme);
  set_value(kTheme, theme == Theme::kDark ? QStringLiteral("dark") : QStringLiteral("light"));
}

int Preferences::threads() const { return std::clamp(value(kThreads).toInt(), 0, 1024); }
void Preferences::set_threads(int threads) { set_value(kThreads, threads); }

QString Preferences::model() const { return value(kModel).toString(); }
void Preferences::set_model(const QString& folder) { set_value(kModel, folder); }

QStringList Preferences::recent() const { return value(kRecent).toStringList().mid(0, kMostRecent); }

void Preferences::add_recent(const QString& uri) {
  const QString kept = kept_name(uri);
  if (kept.isEmpty()) return;
  QStringList all = recent();
  all.removeAll(kept);
  all.prepend(kept);
  set_value(kRecent, all.mid(0, kMostRecent));
}

void Preferences::clear_recent() { remove(kRecent); }

QByteArray Preferences::geometry() const { return value(kGeometry).toByteArray(); }
QByteArray Preferences::layout() const { return value(kLayout).toByteArray(); }

void Preferences::set_layout(const QByteArray& geometry, const QByteArray& layout) {
  set_value(kGeometry, geometry);
  set_value(kLayout, layout);
}

std::optional<QList<QKeySequence>> Preferences::keys(const QString& action) const {
  const QVariant kept = value(key_of(action));
  if (!kept.isValid()) return std::nullopt;
  return QKeySequence::listFromString(kept.toString(), QKeySequence::PortableText);
}

void Preferences::set_keys(const QString& action, const QList<QKeySequence>& keys) {
  set_value(key_of(action), QKeySequence::listToString(keys, QKeySequence::PortableText));
}

void Preferences::forget_keys(const QString& action) { remove(key_of(action)); }

Settings with_preferences(Settings given, const Preferences& preferences) {
  if (given.model.empty()) given.model = preferences.model().toStdString();
  if (given.threads == 0) given.threads = preferences.threads();
  return given;
}

void apply_theme(Theme theme) {
  QApplication::setPalette(QPalette());  // back to the desktop's own, which Qt 6.4 has no other word for
  const bool desktop_is_dark = QApplication::palette().color(QPalette::Window).lightness() < 128;
  QApplication::setPalette(theme_palette(theme == Theme::kSystem ? desktop_is_dark : theme == Theme::kDark));
}

}  // namespace longtake
