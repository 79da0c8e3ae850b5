#include "app/studio/live_panel.h"

#include <QEvent>
#include <QFormLayout>
#include <QLabel>
#include <QPainter>

namespace longtake {

LivePanel::LivePanel(const LiveWatch& watch, QWidget* parent) : QWidget(parent), watch_(watch) {
  setObjectName(QStringLiteral("live"));
  setAccessibleName(tr("Live source"));
  auto* lines = new QFormLayout(this);
  lines->setRowWrapPolicy(QFormLayout::WrapLongRows);
  state_ = line(lines, QStringLiteral("live_state"), tr("Source"));
  received_ = line(lines, QStringLiteral("live_received"), tr("Frames in"));
  watched_ = line(lines, QStringLiteral("live_watched"), tr("Watched"));
  dropped_ = line(lines, QStringLiteral("live_dropped"), tr("Dropped"));
  errors_ = line(lines, QStringLiteral("live_errors"), tr("Decode errors"));
  latency_ = line(lines, QStringLiteral("live_latency"), tr("Latency"));
  latency_->setToolTip(tr("From a frame's way to the encoder to its record"));
  dropped_->setToolTip(tr("Frames that came while the analysis was behind; the oldest go first"));
  state_->setWordWrap(true);
  connect(&watch_, &LiveWatch::changed, this, &LivePanel::say);
  say();
}

QLabel* LivePanel::line(QFormLayout* lines, const QString& name, const QString& title) {
  auto* out = new QLabel(this);
  out->setObjectName(name);
  out->setAccessibleName(title);
  out->setTextInteractionFlags(Qt::TextSelectableByMouse);
  lines->addRow(title, out);
  return out;
}

void LivePanel::say() {
  using State = LiveWatch::State;
  const LiveTap::Counts& counts = watch_.counts();
  switch (watch_.state()) {
    case State::kNone: state_->setText(tr("No stream is open (Ctrl+U opens one)")); break;
    case State::kConnecting: state_->setText(tr("Connecting …")); break;
    case State::kStreaming: state_->setText(tr("Streaming")); break;
    case State::kStalled: state_->setText(tr("Stalled: no frame for %1 s").arg(watch_.no_signal_s())); break;
    case State::kLost: state_->setText(tr("Lost, and tried again: %1").arg(QString::fromStdString(counts.why))); break;
    case State::kEnded: state_->setText(tr("Stopped; Ctrl+R connects again")); break;
  }
  const auto with_rate = [](std::int64_t frames, double fps) {
    return tr("%L1 (%2 a second)").arg(frames).arg(fps, 0, 'f', 1);
  };
  received_->setText(with_rate(counts.received, counts.received_fps));
  watched_->setText(with_rate(counts.watched, counts.watched_fps));
  dropped_->setText(QStringLiteral("%L1").arg(counts.dropped));
  errors_->setText(QStringLiteral("%L1").arg(counts.decode_errors));
  latency_->setText(counts.latency_s ? tr("%1 ms").arg(1000 * *counts.latency_s, 0, 'f', 0) : tr("not known yet"));
}

NoSignal::NoSignal(const LiveWatch& watch, QWidget* video) : QWidget(video), watch_(watch) {
  setObjectName(QStringLiteral("no_signal"));
  setAttribute(Qt::WA_TransparentForMouseEvents);
  video->installEventFilter(this);
  hide();
  connect(&watch_, &LiveWatch::changed, this, [this] {
    setVisible(watch_.no_signal_s() > 0);
    setAccessibleName(words());
    update();
  });
}

QString NoSignal::words() const {
  return watch_.no_signal_s() > 0 ? tr("No signal for %1 s").arg(watch_.no_signal_s()) : QString();
}

bool NoSignal::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Resize) setGeometry(static_cast<QWidget*>(watched)->rect());
  return QWidget::eventFilter(watched, event);
}

void NoSignal::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), QColor(0, 0, 0, 150));
  QFont large = font();
  large.setPointSizeF(2 * large.pointSizeF());
  large.setBold(true);
  painter.setFont(large);
  painter.setPen(Qt::white);
  painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, words());
}

}  // namespace longtake
