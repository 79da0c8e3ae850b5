// The menu of the inner losses: what is drawn of them, and how.
#include <QAction>
#include <QActionGroup>
#include <functional>

#include "app/studio/loss_view.h"
#include "app/studio/main_window.h"

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
}

}  // namespace longtake
