#include "app/studio/video_view.h"

#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <vector>

#include "app/studio/overlay.h"
#include "app/studio/source_name.h"

namespace longtake {

VideoView::VideoView(SessionController& session, QWidget* parent) : QWidget(parent), session_(session) {
  setObjectName(QStringLiteral("video"));
  setAccessibleName(tr("Video"));
  setMinimumSize(240, 135);
  setFocusPolicy(Qt::StrongFocus);
  connect(&session_, &SessionController::image_changed, this, qOverload<>(&QWidget::update));
  connect(&session_, &SessionController::state_changed, this, qOverload<>(&QWidget::update));
  connect(&session_, &SessionController::record_changed, this, qOverload<>(&QWidget::update));
}

void VideoView::resizeEvent(QResizeEvent*) { session_.set_view_size(size() * devicePixelRatioF()); }

// As in mpv: twice for the whole screen, the other button pauses.
void VideoView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  Q_EMIT full_screen_wanted();
}

void VideoView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::RightButton) Q_EMIT pause_wanted();
}

void VideoView::wheelEvent(QWheelEvent* event) {
  constexpr int kStep = 120;
  turned_ += event->angleDelta().y();
  const int steps = turned_ / kStep;
  turned_ -= steps * kStep;
  if (steps != 0) Q_EMIT wheel_turned(steps);
  event->accept();
}

void VideoView::set_overlay(bool on) {
  overlay_ = on;
  update();
}

QStringList VideoView::overlay() const {
  const auto& record = session_.record();
  if (!overlay_ || !record) return {};
  std::vector<EventRecord> here;
  for (const EventRecord& event : session_.findings().events().events()) {
    if (event.pts == record->pts) here.push_back(event);
  }
  return overlay_lines(*record, here, session_.state_bytes());
}

void VideoView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), Qt::black);
  const QImage& image = session_.image();
  if (image.isNull()) {
    if (session_.state() != SessionController::State::kOpening) return;
    painter.setPen(QColor(200, 202, 205));
    painter.drawText(rect().adjusted(16, 16, -16, -16), Qt::AlignCenter | Qt::TextWordWrap,
                     tr("Opening %1 …").arg(shown_name(session_.uri())));
    return;
  }
  // The picture comes in the size it is shown in; while the window is being resized, nearly.
  const QSizeF shown = QSizeF(image.size()).scaled(QSizeF(size()), Qt::KeepAspectRatio);
  const QRectF where((width() - shown.width()) / 2, (height() - shown.height()) / 2, shown.width(), shown.height());
  painter.setRenderHint(QPainter::SmoothPixmapTransform, shown.toSize() != image.size() / devicePixelRatioF());
  painter.drawImage(where, image);
  paint_overlay(painter, where, overlay());
}

}  // namespace longtake
