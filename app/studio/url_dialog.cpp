#include "app/studio/url_dialog.h"

#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/studio/source_name.h"

namespace longtake {

UrlDialog::UrlDialog(const QString& address, QWidget* parent)
    : QDialog(parent), address_(new QLineEdit(address, this)), complaint_(new QLabel(this)) {
  setObjectName(QStringLiteral("url dialog"));
  setWindowTitle(tr("Open URL"));
  address_->setAccessibleName(tr("Address"));
  address_->setPlaceholderText(QStringLiteral("rtsp://user:password@camera/stream"));
  address_->setClearButtonEnabled(true);
  address_->setMinimumWidth(fontMetrics().averageCharWidth() * 64);
  auto* label = new QLabel(tr("&Address of a video or stream:"), this);
  label->setBuddy(address_);
  complaint_->setAccessibleName(tr("What is wrong with the address"));
  complaint_->setWordWrap(true);
  auto* secret = new QLabel(tr("A password in it is used, but neither shown nor kept."), this);
  secret->setWordWrap(true);
  secret->setEnabled(false);  // a remark
  auto* buttons = new QDialogButtonBox(this);
  open_ = buttons->addButton(QDialogButtonBox::Open);
  buttons->addButton(QDialogButtonBox::Cancel);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(address_, &QLineEdit::textChanged, this, &UrlDialog::look);
  auto* column = new QVBoxLayout(this);
  for (QWidget* one : std::initializer_list<QWidget*>{label, address_, complaint_, secret, buttons})
    column->addWidget(one);
  look();
}

QString UrlDialog::address() const { return address_->text().trimmed(); }

void UrlDialog::look() {
  const QString complaint = url_complaint(address());
  complaint_->setText(complaint);
  open_->setEnabled(complaint.isEmpty());
}

}  // namespace longtake
