// The result as a file for other programs.
#include <utility>

#include "app/studio/export_dialog.h"
#include "app/studio/main_window.h"
#include "app/studio/message_bar.h"

namespace longtake {

void MainWindow::ask_for_export() {
  if (session_.findings().curves().frames() == 0) {
    messages_->say(tr("There is nothing to export yet: analyse the video first (Ctrl+R)."));
    return;
  }
  const Rational rate = session_.info().frame_rate;
  QString fps;
  if (rate.num > 0)
    fps = rate.den == 1 ? QString::number(rate.num) : QStringLiteral("%1/%2").arg(rate.num).arg(rate.den);
  auto [file, write] = session_.result_to_export();
  auto* dialog = new ExportDialog({file, session_.uri(), fps, std::move(write)}, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
}

}  // namespace longtake
