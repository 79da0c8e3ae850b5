// All that the menus offer, with the keys for it, which can be changed: as rows. Changes are kept in the preferences.
#pragma once

#include <QAbstractTableModel>
#include <QKeySequence>
#include <QPointer>
#include <optional>
#include <vector>

class QAction;
class QMenuBar;

namespace longtake {

class Preferences;

// Every action of a menu bar, with the menus it lies in, as "File" or "View: Inner loss". Not of menus whose lines come and
// go, which have the property kLinesChange.
struct MenuAction {
  QString menu;
  QAction* action;
};
inline constexpr char kLinesChange[] = "longtake_lines_change";
std::vector<MenuAction> menu_actions(const QMenuBar& bar);
// "&Open…" → "Open…".
QString plain_text(const QAction& action);

class KeyModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kMenu, kAction, kKeys, kColumns };

  // Takes the keys that the actions have now for the usual ones, and gives them those of the preferences. `preferences` has
  // to outlive this.
  KeyModel(const QMenuBar& bar, Preferences& preferences, QObject* parent = nullptr);

  // Whose key it is, apart from `row`.
  std::optional<int> owner(const QKeySequence& key, int row) const;
  // The one key of a row, or none if it is empty; who had it loses it.
  void set_key(int row, const QKeySequence& key);
  void reset(int row);
  void reset_all();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  struct Row {
    QString menu, name;  // name: of the preferences
    QPointer<QAction> action;
    QList<QKeySequence> usual;
  };
  void give(int row, const QList<QKeySequence>& keys);

  Preferences& preferences_;
  std::vector<Row> rows_;
};

}  // namespace longtake
