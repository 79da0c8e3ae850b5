// The Help menu: keys, and what this program is.
#include <QMenuBar>

#include "app/studio/about.h"
#include "app/studio/key_model.h"
#include "app/studio/keys_dialog.h"
#include "app/studio/main_window.h"

namespace longtake {

void MainWindow::make_help_actions() {
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  action(help, tr("&Keys…"), {Qt::Key_Question, Qt::Key_F1}, [this] {
    auto* dialog = new KeysDialog(*keys_, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
  });
  action(help, tr("&About Longtake"), {}, [this] { show_about(this); });
  keys_ = new KeyModel(*menuBar(), preferences_, this);  // last: all actions are there
}

}  // namespace longtake
