#include "app/studio/key_model.h"

#include <QAction>
#include <QMenu>
#include <QMenuBar>

#include "app/studio/preferences.h"

namespace longtake {
namespace {

void collect(const QList<QAction*>& actions, const QString& menu, std::vector<MenuAction>& out) {
  for (QAction* one : actions) {
    if (one->isSeparator()) continue;
    if (const QMenu* inner = one->menu()) {
      if (inner->property(kLinesChange).toBool()) continue;
      const QString name = plain_text(*one);
      collect(inner->actions(), menu.isEmpty() ? name : menu + QStringLiteral(": ") + name, out);
    } else {
      out.push_back({menu, one});
    }
  }
}

}  // namespace

std::vector<MenuAction> menu_actions(const QMenuBar& bar) {
  std::vector<MenuAction> out;
  collect(bar.actions(), {}, out);
  return out;
}

QString plain_text(const QAction& action) { return action.text().remove(QLatin1Char('&')); }

KeyModel::KeyModel(const QMenuBar& bar, Preferences& preferences, QObject* parent)
    : QAbstractTableModel(parent), preferences_(preferences) {
  for (const MenuAction& one : menu_actions(bar)) {
    const QString name = one.menu + QStringLiteral(": ") + plain_text(*one.action);
    rows_.push_back({one.menu, name, one.action, one.action->shortcuts()});
    if (const auto keys = preferences_.keys(name)) one.action->setShortcuts(*keys);
  }
}

std::optional<int> KeyModel::owner(const QKeySequence& key, int row) const {
  for (int i = 0; i < rowCount(); ++i) {
    const Row& one = rows_[static_cast<std::size_t>(i)];
    if (i != row && !key.isEmpty() && one.action && one.action->shortcuts().contains(key)) return i;
  }
  return std::nullopt;
}

void KeyModel::give(int row, const QList<QKeySequence>& keys) {
  const Row& one = rows_[static_cast<std::size_t>(row)];
  if (!one.action) return;
  one.action->setShortcuts(keys);
  if (keys == one.usual) {
    preferences_.forget_keys(one.name);
  } else {
    preferences_.set_keys(one.name, keys);
  }
  Q_EMIT dataChanged(index(row, kKeys), index(row, kKeys));
}

void KeyModel::set_key(int row, const QKeySequence& key) {
  if (const auto other = owner(key, row)) {
    QList<QKeySequence> left = rows_[static_cast<std::size_t>(*other)].action->shortcuts();
    left.removeAll(key);
    give(*other, left);
  }
  give(row, key.isEmpty() ? QList<QKeySequence>() : QList<QKeySequence>{key});
}

void KeyModel::reset(int row) {
  const QList<QKeySequence> usual = rows_[static_cast<std::size_t>(row)].usual;
  for (const QKeySequence& key : usual) {
    while (const auto other = owner(key, row)) {
      QList<QKeySequence> left = rows_[static_cast<std::size_t>(*other)].action->shortcuts();
      left.removeAll(key);
      give(*other, left);
    }
  }
  give(row, usual);
}

void KeyModel::reset_all() {
  for (int row = 0; row < rowCount(); ++row) give(row, rows_[static_cast<std::size_t>(row)].usual);
}

int KeyModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}
int KeyModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant KeyModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const Row& row = rows_[static_cast<std::size_t>(index.row())];
  if (role != Qt::DisplayRole || !row.action) return {};
  switch (index.column()) {
    case kMenu: return row.menu;
    case kAction: return plain_text(*row.action);
    case kKeys: return QKeySequence::listToString(row.action->shortcuts(), QKeySequence::NativeText);
    default: return {};
  }
}

QVariant KeyModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case kMenu: return tr("Menu");
    case kAction: return tr("What it does");
    case kKeys: return tr("Keys");
    default: return {};
  }
}

}  // namespace longtake
