// The menu of the inner losses: what is drawn of them, and how.
#include <QAction>
#include <QActionGroup>
#include <QDir>
#include <QFileDialog>
#include <QPainter>
#include <QSaveFile>
#include <QStatusBar>
#include <utility>

#include "app/studio/loss_table.h"
#include "app/studio/loss_view.h"
#include "app/studio/main_window.h"
#include "app/studio/message_bar.h"

namespace longtake {
namespace {

// One of several, of which one is chosen.
QAction* choice(QMenu* menu, QActionGroup* group, const QString& text, bool chosen) {
  QAction* out = group->addAction(text);
  out->setCheckable(true);
  out->setChecked(chosen);
  menu->addAction(out);
  return out;
}

}  // namespace

void MainWindow::make_loss_actions(QMenu* menu) {
  auto* drawings = new QActionGroup(this);
  const auto drawing = [&](const QString& text, LossView::Drawing what) {
    QAction* out = choice(menu, drawings, text, loss_->drawing() == what);
    connect(out, &QAction::triggered, loss_, [this, what] { loss_->set_drawing(what); });
  };
  drawing(tr("&Curves"), LossView::Drawing::kLosses);
  drawing(tr("&Heat map"), LossView::Drawing::kHeat);
  drawing(tr("&Drift of the fast weights"), LossView::Drawing::kDrift);
  menu->addSeparator();
  QAction* logarithmic = menu->addAction(tr("&Logarithmic scale"));
  logarithmic->setCheckable(true);
  logarithmic->setChecked(loss_->logarithmic());
  connect(logarithmic, &QAction::toggled, loss_, &LossView::set_logarithmic);

  QMenu* mean = menu->addMenu(tr("&Mean over"));
  auto* means = new QActionGroup(this);
  for (const double seconds : {0.2, 1.0, 5.0, 30.0, 300.0}) {
    QAction* out = choice(mean, means, seconds < 60 ? tr("%1 s").arg(seconds) : tr("%1 min").arg(seconds / 60),
                          seconds == layers_.mean_seconds());
    connect(out, &QAction::triggered, this, [this, seconds] { layers_.set_mean_seconds(seconds); });
  }

  QMenu* follow = menu->addMenu(tr("&Follow the analysis"));
  auto* follows = new QActionGroup(this);
  TimeAxis& axis = session_.axis();
  const auto window = [&](const QString& text, std::optional<double> seconds) {
    QAction* out = choice(follow, follows, text, axis.followed() == seconds);
    connect(out, &QAction::triggered, this, [&axis, seconds] { axis.follow(seconds); });
    // Whoever looks elsewhere no longer follows.
    connect(&axis, &TimeAxis::followed_changed, out, [&axis, out, seconds] {
      if (axis.followed() == seconds) out->setChecked(true);
    });
  };
  window(tr("&No"), std::nullopt);
  window(tr("The newest &10 s"), 10);
  window(tr("The newest &minute"), 60);
  window(tr("The newest 10 m&inutes"), 600);
  window(tr("&All"), 0);
  menu->addSeparator();
  action(menu, tr("&Save what is drawn…"), {Qt::CTRL | Qt::SHIFT | Qt::Key_S}, [this] { ask_for_loss_file(); });
  loss_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(loss_, &QWidget::customContextMenuRequested, menu,
          [this, menu](QPoint point) { menu->popup(loss_->mapToGlobal(point)); });
}

void MainWindow::ask_for_loss_file() {
  if (session_.findings().curves().frames() == 0) return;
  auto* dialog = new QFileDialog(this, tr("Save what is drawn"), QDir::homePath());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setNameFilters(
      {tr("Picture as it is on the screen (*.png)"), tr("Curves as lines (*.svg)"), tr("Table (*.csv)")});
  dialog->setDefaultSuffix(QStringLiteral("png"));
  const auto set_suffix = [dialog](const QString& filter) {
    dialog->setDefaultSuffix(filter.section(QLatin1Char('.'), -1).chopped(1));
  };
  connect(dialog, &QFileDialog::filterSelected, dialog, set_suffix);
  dialog->selectFile(QStringLiteral("inner-loss"));
  connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::save_losses);
  dialog->open();
}

// What is drawn is read now; the file is written behind the window.
void MainWindow::save_losses(const QString& file) {
  Errands::Work work;
  if (file.endsWith(QStringLiteral(".png"), Qt::CaseInsensitive)) {
    constexpr int kFiner = 2;
    QImage image(loss_->size() * kFiner, QImage::Format_RGB32);
    image.setDevicePixelRatio(kFiner);
    image.fill(palette().color(QPalette::Window));
    QPainter painter(&image);
    loss_->paint(painter);
    painter.end();
    work = [image, file]() -> Result<void> {
      QSaveFile out(file);
      if (out.open(QIODevice::WriteOnly) && image.save(&out, "PNG") && out.commit()) return {};
      return Error{ErrorKind::kUnexpected,
                   "cannot write \"" + file.toStdString() + "\": " + out.errorString().toStdString()};
    };
  } else {
    const bool csv = file.endsWith(QStringLiteral(".csv"), Qt::CaseInsensitive);
    work = [csv, name = file.toStdString(), table = loss_table(session_.findings(), layers_, loss_->samples()),
            drift = loss_->drawing() == LossView::Drawing::kDrift, logarithmic = loss_->logarithmic()] {
      return csv ? write_csv(name, table) : write_curves(name, table, drift, logarithmic);
    };
  }
  session_.errands().run(std::move(work), [this, file](const Result<void>& done) {
    done ? statusBar()->showMessage(tr("Saved %1").arg(file), 5000)
         : messages_->say(QString::fromStdString(done.error().message));
  });
}

}  // namespace longtake
