#include "app/studio/welcome.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "app/studio/colours.h"
#include "app/studio/icon.h"

namespace longtake {
namespace {

constexpr int kRecent = 5;
constexpr int kSign = 64;

class Sign : public QWidget {
 public:
  explicit Sign(QWidget* parent) : QWidget(parent) { setFixedSize(kSign, kSign); }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.scale(kSign / 128.0, kSign / 128.0);
    paint_sign(painter);
  }
};

}  // namespace

Welcome::Welcome(const Preferences& preferences, QWidget* parent) : QWidget(parent), preferences_(preferences) {
  setObjectName(QStringLiteral("welcome"));
  setPalette(theme_palette(true));  // it stands on the black of the picture
  auto* words = new QLabel(tr("Drop videos or a folder here"), this);
  QFont large = words->font();
  large.setPointSizeF(1.4 * large.pointSizeF());
  words->setFont(large);

  auto* buttons = new QHBoxLayout;
  const auto button = [&](const QString& text, void (Welcome::*wanted)()) {
    auto* one = new QPushButton(text, this);
    connect(one, &QPushButton::clicked, this, wanted);
    buttons->addWidget(one);
  };
  buttons->addStretch();
  button(tr("Open a &video…"), &Welcome::files_wanted);
  button(tr("Open a &folder…"), &Welcome::folder_wanted);
  button(tr("Open a &URL…"), &Welcome::address_wanted);
  buttons->addStretch();

  recent_ = new QWidget(this);
  recent_rows_ = new QVBoxLayout(recent_);
  recent_rows_->setContentsMargins(0, 8, 0, 0);
  recent_rows_->setSpacing(0);

  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(32, 24, 32, 24);
  column->addStretch();
  column->addWidget(new Sign(this), 0, Qt::AlignHCenter);
  column->addWidget(words, 0, Qt::AlignHCenter);
  column->addLayout(buttons);
  column->addWidget(recent_, 0, Qt::AlignHCenter);
  column->addStretch();
  list_recent();
}

void Welcome::list_recent() {
  while (QLayoutItem* item = recent_rows_->takeAt(0)) {
    if (QWidget* widget = item->widget()) widget->deleteLater();  // it may be the one that was pressed
    delete item;
  }
  for (const QString& uri : preferences_.recent()) {
    if (recent_rows_->count() == kRecent) break;
    const bool path = !uri.contains(QStringLiteral("://"));
    if (path && !QFileInfo::exists(uri)) continue;
    const QString name = path ? QFileInfo(uri).fileName() : uri;
    auto* one = new QPushButton(fontMetrics().elidedText(name, Qt::ElideMiddle, 360), recent_);
    one->setFlat(true);
    one->setAccessibleName(tr("Open %1 again").arg(name));
    one->setToolTip(uri);
    connect(one, &QPushButton::clicked, this, [this, uri] { Q_EMIT recent_wanted(uri); });
    recent_rows_->addWidget(one);
  }
  recent_->setVisible(recent_rows_->count() > 0);
}

void Welcome::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(palette().color(QPalette::Mid), 2, Qt::DashLine));
  painter.drawRoundedRect(QRectF(rect()).adjusted(12, 12, -12, -12), 12, 12);
}

}  // namespace longtake
