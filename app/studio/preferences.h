// What is remembered from one start to the next: $XDG_CONFIG_HOME/longtake/studio.ini (~/.config if that is not set).
// GUI thread. What cannot be written is lost without a word; nothing here is worth a complaint.
#pragma once

#include <QByteArray>
#include <QKeySequence>
#include <QSettings>
#include <QString>
#include <QStringList>
#include <QVariant>
#include <optional>

#include "app/settings.h"

namespace longtake {

enum class Theme { kSystem, kLight, kDark };

class Preferences {
 public:
  // kNowhere: as if nothing was ever set, and nothing is kept: for a picture of the window.
  enum class Kept { kOnDisk, kNowhere };
  explicit Preferences(Kept kept = Kept::kOnDisk);

  Theme theme() const;
  void set_theme(Theme theme);
  int threads() const;  // of the encoder; 0: as many as there are cores
  void set_threads(int threads);
  QString model() const;  // a folder; empty: the default model
  void set_model(const QString& folder);

  // What was opened, the last first, as kept_name() has it; kMostRecent of them.
  static constexpr int kMostRecent = 12;
  QStringList recent() const;
  void add_recent(const QString& uri);
  void clear_recent();

  QByteArray geometry() const;
  QByteArray layout() const;
  void set_layout(const QByteArray& geometry, const QByteArray& layout);

  // Of actions whose keys were changed, by name. No keys is a choice, too.
  std::optional<QList<QKeySequence>> keys(const QString& action) const;
  void set_keys(const QString& action, const QList<QKeySequence>& keys);
  void forget_keys(const QString& action);

 private:
  QVariant value(const QString& key) const;
  void set_value(const QString& key, const QVariant& value);
  void remove(const QString& key);

  std::optional<QSettings> store_;  // none: it is kept nowhere
};

// What was given keeps its value; the rest is as it was set.
Settings with_preferences(Settings given, const Preferences& preferences);

// For the whole program, at once. kSystem: light or dark as the desktop's own colours are.
void apply_theme(Theme theme);

}  // namespace longtake
