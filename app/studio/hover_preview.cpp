#include "app/studio/hover_preview.h"

#include <QLabel>
#include <QPixmap>
#include <QVBoxLayout>
#include <algorithm>

namespace longtake {

HoverPreview::HoverPreview(QWidget* window) : QFrame(window), picture_(new QLabel(this)), words_(new QLabel(this)) {
  setObjectName(QStringLiteral("hover preview"));
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFrameShape(QFrame::StyledPanel);
  setAutoFillBackground(true);
  picture_->setAlignment(Qt::AlignCenter);
  words_->setAlignment(Qt::AlignCenter);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(4, 4, 4, 4);
  column->setSpacing(3);
  column->addWidget(picture_);
  column->addWidget(words_);
  hide();
}

QString HoverPreview::words() const { return words_->text(); }

void HoverPreview::show_at(QPoint point, const QImage& picture, const QString& words) {
  picture_->setVisible(!picture.isNull());
  if (!picture.isNull()) picture_->setPixmap(QPixmap::fromImage(picture));
  words_->setText(words);
  adjustSize();
  const int most = std::max(0, parentWidget()->width() - width());
  move(std::clamp(point.x() - width() / 2, 0, most), std::max(0, point.y() - height() - 4));
  raise();
  show();
}

}  // namespace longtake
