#include "app/studio/video_view.h"

#include <QMouseEvent>
#include <QPainter>

#include "app/studio/source_name.h"

namespace longtake {

VideoView::VideoView(SessionController& session, QWidget* parent) : QWidget(parent), session_(session) {
  setObjectName(QStringLiteral("video"));
  setAccessibleName(tr("Video"));
  setMinimumSize(240, 135);
  setFocusPolicy(Qt::StrongFocus);
  connect(&session_, &SessionController::image_changed, this, qOverload<>(&QWidget::update));
  connect(&session_, &SessionController::state_changed, this, qOverload<>(&QWidget::update));
}

void VideoView::resizeEvent(QResizeEvent*) { session_.set_view_size(size() * devicePixelRatioF()); }

void VideoView::mouseDoubleClickEvent(QMouseEvent*) {
  if (session_.state() == SessionController::State::kEmpty) Q_EMIT open_wanted();
}

void VideoView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), Qt::black);
  const QImage& image = session_.image();
  if (image.isNull()) {
    painter.setPen(QColor(200, 202, 205));
    QString words = tr("Drop a video here, or open one with Ctrl+O.");
    if (session_.state() == SessionController::State::kOpening) words = tr("Opening %1 …").arg(shown_name(session_.uri()));
    painter.drawText(rect().adjusted(16, 16, -16, -16), Qt::AlignCenter | Qt::TextWordWrap, words);
    return;
  }
  // The picture comes in the size it is shown in; while the window is being resized, nearly.
  const QSizeF shown = QSizeF(image.size()).scaled(QSizeF(size()), Qt::KeepAspectRatio);
  const QRectF where((width() - shown.width()) / 2, (height() - shown.height()) / 2, shown.width(), shown.height());
  painter.setRenderHint(QPainter::SmoothPixmapTransform, shown.toSize() != image.size() / devicePixelRatioF());
  painter.drawImage(where, image);
}

}  // namespace longtake
