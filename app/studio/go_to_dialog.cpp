#include "app/studio/go_to_dialog.h"

#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/studio/event_model.h"
#include "core/records/time_point.h"

namespace longtake {

GoToDialog::GoToDialog(double now, QWidget* parent)
    : QDialog(parent), time_(new QLineEdit(clock_text(now), this)), complaint_(new QLabel(this)) {
  setObjectName(QStringLiteral("go to"));
  setWindowTitle(tr("Go to"));
  setAttribute(Qt::WA_DeleteOnClose);
  time_->setAccessibleName(tr("Time"));
  time_->selectAll();
  auto* label = new QLabel(tr("&Time, as 12.5, 2:05, 00:02:05.500, or @ and a pts:"), this);
  label->setBuddy(time_);
  complaint_->setAccessibleName(tr("What is wrong with the time"));
  complaint_->setWordWrap(true);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
  go_ = buttons->addButton(tr("&Go"), QDialogButtonBox::AcceptRole);
  connect(buttons, &QDialogButtonBox::accepted, this, &GoToDialog::go);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(time_, &QLineEdit::textChanged, this, &GoToDialog::look);
  auto* column = new QVBoxLayout(this);
  for (QWidget* one : std::initializer_list<QWidget*>{label, time_, complaint_, buttons}) column->addWidget(one);
  look();
}

void GoToDialog::look() {
  const auto time = parse_time(time_->text().trimmed().toStdString());
  complaint_->setText(time ? QString() : QString::fromStdString(time.error().message));
  go_->setEnabled(static_cast<bool>(time));
}

void GoToDialog::go() {
  const auto time = parse_time(time_->text().trimmed().toStdString());
  if (!time) return;
  Q_EMIT wanted(*time);
  accept();
}

}  // namespace longtake
