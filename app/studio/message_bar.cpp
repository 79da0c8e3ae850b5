#include "app/studio/message_bar.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QStyle>
#include <QToolButton>

#include "app/studio/colours.h"

namespace longtake {
namespace {

constexpr int kEdge = 4;  // pixels of the coloured edge

}  // namespace

MessageBar::MessageBar(QWidget* parent) : QFrame(parent), words_(new QLabel(this)) {
  setObjectName(QStringLiteral("messages"));
  setAccessibleName(tr("Message"));
  words_->setWordWrap(true);
  words_->setTextFormat(Qt::PlainText);
  words_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  words_->setAccessibleName(tr("What went wrong"));
  auto* close = new QToolButton(this);
  close->setObjectName(QStringLiteral("close message"));
  close->setAccessibleName(tr("Close this message"));
  close->setToolTip(tr("Close this message"));
  close->setIcon(style()->standardIcon(QStyle::SP_TitleBarCloseButton));
  close->setAutoRaise(true);
  connect(close, &QToolButton::clicked, this, &QWidget::hide);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kEdge + 8, 4, 4, 4);
  row->addWidget(words_, 1);
  row->addWidget(close, 0, Qt::AlignTop);
  hide();
}

void MessageBar::say(const QString& sentence) {
  words_->setText(sentence);
  show();
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

QString MessageBar::sentence() const { return isHidden() ? QString() : words_->text(); }

void MessageBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::AlternateBase));
  painter.fillRect(0, 0, kEdge, height(), event_colour("cut"));
}

}  // namespace longtake
