#include "app/studio/own_keys.h"

#include <QKeyEvent>
#include <QWidget>
#include <algorithm>
#include <utility>

namespace longtake {
namespace {

class OwnKeys : public QObject {
 public:
  OwnKeys(QWidget& widget, std::vector<Qt::Key> keys) : QObject(&widget), keys_(std::move(keys)) {
    widget.installEventFilter(this);
  }

  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() == QEvent::ShortcutOverride) {
      const int key = static_cast<QKeyEvent*>(event)->key();
      if (std::ranges::find(keys_, key) != keys_.end()) event->accept();
    }
    return QObject::eventFilter(watched, event);
  }

 private:
  const std::vector<Qt::Key> keys_;
};

}  // namespace

std::vector<Qt::Key> moving_keys() {
  return {Qt::Key_Up, Qt::Key_Down, Qt::Key_PageUp, Qt::Key_PageDown, Qt::Key_Home, Qt::Key_End};
}

std::vector<Qt::Key> pressing_keys() { return {Qt::Key_Space, Qt::Key_Return, Qt::Key_Enter}; }

void keep_keys(QWidget& widget, std::vector<Qt::Key> keys) { new OwnKeys(widget, std::move(keys)); }

}  // namespace longtake
