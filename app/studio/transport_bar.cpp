#include "app/studio/transport_bar.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace longtake {

class TransportBar::Button : public QToolButton {
 public:
  Button(QAction* action, Glyph glyph, QWidget* parent) : QToolButton(parent) {
    action->setIcon(glyph_icon(glyph));
    action->setIconVisibleInMenu(false);
    setDefaultAction(action);
    setAutoRaise(true);
    setFocusPolicy(Qt::TabFocus);  // a click leaves the keys with the video
    const auto say = [this, action] {
      const QString name = action->text().remove(QLatin1Char('&'));
      const QString key = action->shortcut().toString(QKeySequence::NativeText);
      setAccessibleName(name);
      setToolTip(key.isEmpty() ? name : tr("%1 (%2)").arg(name, key));
    };
    connect(action, &QAction::changed, this, say);
    say();
  }
};

TransportBar::TransportBar(SessionController& session, QWidget* parent) : QWidget(parent), session_(session) {
  setObjectName(QStringLiteral("transport"));
  steps_ = new QWidget(this);
  step_row_ = new QHBoxLayout(steps_);
  step_row_->setContentsMargins(0, 0, 0, 0);
  step_row_->setSpacing(0);
  position_ = new QLabel(this);
  position_->setObjectName(QStringLiteral("position"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(4, 2, 4, 2);
  row->addWidget(steps_);
  row->addWidget(position_, 1);
  work_row_ = new QHBoxLayout;
  row->addLayout(work_row_);
  connect(&session_, &SessionController::state_changed, this, &TransportBar::say_state);
  connect(&session_, &SessionController::image_changed, this, &TransportBar::say_state);
  say_state();
}

void TransportBar::add_play(QAction* action) {
  play_ = action;
  add_step(action, Glyph::kPlay);
}

void TransportBar::add_step(QAction* action, Glyph glyph) { step_row_->addWidget(new Button(action, glyph, steps_)); }

void TransportBar::add_work(QAction* action, Glyph glyph) {
  auto* button = new Button(action, glyph, this);
  button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  work_row_->addWidget(button);
}

void TransportBar::say_state() {
  const bool live = session_.live_counts().has_value();
  const bool shown = !session_.image().isNull();
  steps_->setEnabled(shown && !live);
  if (play_) play_->setIcon(glyph_icon(session_.playing() ? Glyph::kPause : Glyph::kPlay));
  if (!shown) return position_->clear();
  QString where = clock_text(session_.axis().playhead());
  if (!live) where += QStringLiteral(" / ") + clock_text(session_.axis().end());
  const double speed = session_.playing() ? session_.speed() : session_.rate();
  if (speed != 1) where += tr("  ×%1").arg(speed, 0, 'g', 3);
  position_->setText(where);
}

}  // namespace longtake
