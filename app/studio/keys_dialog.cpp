#include "app/studio/keys_dialog.h"

#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/key_model.h"

namespace longtake {

KeysDialog::KeysDialog(KeyModel& model, QWidget* parent)
    : QDialog(parent),
      model_(model),
      table_(new QTableView(this)),
      key_(new QKeySequenceEdit(this)),
      remark_(new QLabel(this)),
      set_(new QPushButton(tr("&Set"), this)),
      usual_(new QPushButton(tr("&Usual key"), this)) {
  setObjectName(QStringLiteral("keys"));
  setWindowTitle(tr("Keys"));
  resize(fontMetrics().averageCharWidth() * 90, fontMetrics().height() * 34);
  filtered_.setSourceModel(&model_);
  filtered_.setFilterKeyColumn(-1);  // in all columns
  filtered_.setFilterCaseSensitivity(Qt::CaseInsensitive);

  auto* filter = new QLineEdit(this);
  filter->setObjectName(QStringLiteral("filter"));
  filter->setPlaceholderText(tr("Filter: what it does, or a key"));
  filter->setAccessibleName(tr("Filter"));
  filter->setClearButtonEnabled(true);
  connect(filter, &QLineEdit::textChanged, &filtered_, &QSortFilterProxyModel::setFilterFixedString);
  table_->setModel(&filtered_);
  table_->setAccessibleName(tr("Keys"));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setStretchLastSection(true);
  key_->setObjectName(QStringLiteral("key"));
  key_->setAccessibleName(tr("New key"));
  set_->setObjectName(QStringLiteral("set"));
  auto* all = new QPushButton(tr("&All usual keys"), this);
  all->setObjectName(QStringLiteral("all usual"));
  remark_->setWordWrap(true);
  remark_->setAccessibleName(tr("About the new key"));
  for (QPushButton* one : {set_, usual_, all}) one->setAutoDefault(false);

  connect(table_, &QTableView::doubleClicked, this, &KeysDialog::begin);
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
    key_->clear();
    look();
  });
  connect(key_, &QKeySequenceEdit::keySequenceChanged, this, &KeysDialog::look);
  connect(set_, &QPushButton::clicked, this, &KeysDialog::set);
  connect(usual_, &QPushButton::clicked, this, [this] {
    if (row() >= 0) model_.reset(row());
    look();
  });
  connect(all, &QPushButton::clicked, this, [this] {
    model_.reset_all();
    look();
  });

  auto* column = new QVBoxLayout(this);
  column->addWidget(filter);
  column->addWidget(table_, 1);
  column->addWidget(remark_);
  auto* line = new QHBoxLayout;
  line->addWidget(key_, 1);
  for (QPushButton* one : {set_, usual_, all}) line->addWidget(one);
  column->addLayout(line);
  look();
}

int KeysDialog::row() const {
  const QModelIndex at = filtered_.mapToSource(table_->currentIndex());
  return at.isValid() ? at.row() : -1;
}

void KeysDialog::begin() {
  key_->clear();
  key_->setFocus();
}

void KeysDialog::look() {
  const int at = row();
  for (QWidget* one : std::initializer_list<QWidget*>{key_, set_, usual_}) one->setEnabled(at >= 0);
  set_->setText(tr("&Set"));
  warned_ = false;
  if (at < 0) {
    remark_->setText(tr("Choose a line to change its key."));
    return;
  }
  const QString name = model_.index(at, KeyModel::kAction).data().toString();
  const QKeySequence key = key_->keySequence();
  if (const auto other = model_.owner(key, at)) {
    const QString loser = model_.index(*other, KeyModel::kAction).data().toString();
    remark_->setText(
        tr("%1 belongs to “%2”, which would be left without it.").arg(key.toString(QKeySequence::NativeText), loser));
    set_->setText(tr("&Take it"));
    warned_ = true;
  } else if (key.isEmpty()) {
    remark_->setText(tr("Press the new key of “%1”; Set without one leaves it none.").arg(name));
  } else {
    remark_->setText(tr("Nothing else has %1.").arg(key.toString(QKeySequence::NativeText)));
  }
}

void KeysDialog::set() {
  if (row() < 0) return;
  // The field tells of its key a second after it was pressed; nobody loses one without having been named.
  if (!warned_ && model_.owner(key_->keySequence(), row())) return look();
  model_.set_key(row(), key_->keySequence());
  key_->clear();
  look();
}

}  // namespace longtake
