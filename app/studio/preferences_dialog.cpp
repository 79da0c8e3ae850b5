#include "app/studio/preferences_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QMessageBox>
#include <QPointer>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <memory>

#include "app/studio/preferences.h"
#include "app/studio/session_controller.h"
#include "app/studio/session_folder.h"
#include "models/model_folder.h"

namespace longtake {
namespace {

constexpr int kMostThreads = 1024;

QString size_text(std::int64_t bytes) { return QLocale().formattedDataSize(bytes, 1, QLocale::DataSizeSIFormat); }

}  // namespace

PreferencesDialog::PreferencesDialog(Preferences& preferences, SessionController& session, QWidget* parent)
    : QDialog(parent), preferences_(preferences), session_(session) {
  setObjectName(QStringLiteral("preferences"));
  setWindowTitle(tr("Preferences"));
  auto* form = new QFormLayout;
  make_look(form);
  make_engine(form);
  make_sessions(form);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  buttons->button(QDialogButtonBox::Close)->setAutoDefault(false);  // Enter ends an input
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* column = new QVBoxLayout(this);
  column->addLayout(form, 1);
  column->addWidget(buttons);
  setMinimumWidth(fontMetrics().averageCharWidth() * 84);
  count_sessions();
}

QLabel* PreferencesDialog::remark(const QString& name) {
  auto* out = new QLabel(this);
  out->setObjectName(name);
  out->setWordWrap(true);
  out->setTextFormat(Qt::PlainText);
  return out;
}

void PreferencesDialog::make_look(QFormLayout* form) {
  theme_ = new QComboBox(this);
  theme_->setObjectName(QStringLiteral("theme"));
  theme_->addItem(tr("as the desktop"), static_cast<int>(Theme::kSystem));
  theme_->addItem(tr("light"), static_cast<int>(Theme::kLight));
  theme_->addItem(tr("dark"), static_cast<int>(Theme::kDark));
  theme_->setCurrentIndex(theme_->findData(static_cast<int>(preferences_.theme())));
  connect(theme_, &QComboBox::currentIndexChanged, this, [this] {
    preferences_.set_theme(static_cast<Theme>(theme_->currentData().toInt()));
    apply_theme(preferences_.theme());
  });
  form->addRow(tr("&Theme:"), theme_);
}

void PreferencesDialog::make_engine(QFormLayout* form) {
  threads_ = new QSpinBox(this);
  threads_->setObjectName(QStringLiteral("threads"));
  threads_->setRange(0, kMostThreads);
  threads_->setSpecialValueText(tr("all that the machine has"));
  threads_->setValue(preferences_.threads());
  connect(threads_, &QSpinBox::valueChanged, this, [this](int threads) { preferences_.set_threads(threads); });
  form->addRow(tr("T&hreads of the encoder:"), threads_);

  model_ = new QLineEdit(preferences_.model(), this);
  model_->setObjectName(QStringLiteral("model"));
  model_->setPlaceholderText(tr("default"));
  model_->setClearButtonEnabled(true);
  connect(model_, &QLineEdit::editingFinished, this, &PreferencesDialog::take_model);
  auto* browse = new QPushButton(tr("&Browse…"), this);
  browse->setAutoDefault(false);
  connect(browse, &QPushButton::clicked, this, &PreferencesDialog::browse);
  auto* line = new QHBoxLayout;
  line->addWidget(model_, 1);
  line->addWidget(browse);
  form->addRow(tr("&Model folder:"), line);
  static_cast<QLabel*>(form->labelForField(line))->setBuddy(model_);
  about_model_ = remark(QStringLiteral("about model"));
  about_model_->setText(
      tr("Threads and model count from the next start on; what the command line says goes before them."));
  form->addRow(QString(), about_model_);
}

void PreferencesDialog::make_sessions(QFormLayout* form) {
  auto* folder = new QLineEdit(QDir::toNativeSeparators(sessions_folder()), this);
  folder->setObjectName(QStringLiteral("sessions folder"));
  folder->setReadOnly(true);
  form->addRow(tr("&Sessions are kept in:"), folder);
  disk_ = remark(QStringLiteral("disk"));
  clear_ = new QPushButton(tr("&Clear sessions…"), this);
  clear_->setObjectName(QStringLiteral("clear"));
  clear_->setAutoDefault(false);
  connect(clear_, &QPushButton::clicked, this, &PreferencesDialog::ask_to_clear);
  auto* line = new QHBoxLayout;
  line->addWidget(disk_, 1);
  line->addWidget(clear_);
  form->addRow(QString(), line);
  cleared_ = remark(QStringLiteral("cleared"));
  form->addRow(QString(), cleared_);
}

void PreferencesDialog::browse() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Model folder"), model_->text());
  if (folder.isEmpty()) return;
  model_->setText(folder);
  take_model();
}

QString PreferencesDialog::chosen_model() const {
  const QString folder = model_->text().trimmed();
  return folder.isEmpty() ? folder : QDir::current().absoluteFilePath(folder);
}

void PreferencesDialog::take_model() {
  const QString folder = chosen_model();
  if (folder.isEmpty()) {
    preferences_.set_model({});
    about_model_->setText(tr("The default model is used from the next start on."));
    return;
  }
  about_model_->setText(tr("Looking at this model …"));
  session_.errands().run(
      [path = folder.toStdString()]() -> Result<void> {
        auto model = open_model_folder(path);
        if (!model) return std::move(model).error();
        return {};
      },
      [here = QPointer(this), folder](const Result<void>& done) {
        if (!here || here->chosen_model() != folder) return;
        if (done) here->preferences_.set_model(folder);
        here->about_model_->setText(done ? tr("This model is used from the next start on.")
                                         : QString::fromStdString(done.error().message));
      });
}

void PreferencesDialog::count_sessions() {
  disk_->setText(tr("Counting …"));
  auto found = std::make_shared<SessionsOnDisk>();
  session_.errands().run(
      [found, folder = sessions_folder().toStdString()]() -> Result<void> {
        *found = measure_sessions(folder);
        return {};
      },
      [here = QPointer(this), found](const Result<void>& done) {
        if (!here) return;
        done ? here->say_sessions(*found) : here->disk_->setText(QString::fromStdString(done.error().message));
      });
}

void PreferencesDialog::say_sessions(const SessionsOnDisk& found) {
  disk_->setText(tr("%L1 sessions, %2").arg(static_cast<qlonglong>(found.sessions)).arg(size_text(found.bytes)));
  clear_->setEnabled(found.sessions > 0);
}

QString PreferencesDialog::open_video() const {
  return session_.state() == SessionController::State::kEmpty ? QString() : session_.uri();
}

void PreferencesDialog::ask_to_clear() {
  if (session_.videos().busy()) {
    cleared_->setText(tr("The list of videos is being analysed into sessions: pause it first."));
    return;
  }
  auto* box = new QMessageBox(
      QMessageBox::Warning, tr("Clear sessions"),
      open_video().isEmpty() ? tr("Remove all sessions?") : tr("Remove all sessions but that of the open video?"),
      QMessageBox::Cancel, this);
  box->setObjectName(QStringLiteral("ask to clear"));
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setInformativeText(
      tr("Results, names, labels and memories of those videos are lost. The videos themselves stay."));
  QPushButton* remove = box->addButton(tr("&Remove"), QMessageBox::DestructiveRole);
  box->setDefaultButton(QMessageBox::Cancel);
  connect(remove, &QPushButton::clicked, this, &PreferencesDialog::clear);
  box->open();
}

void PreferencesDialog::clear() {
  clear_->setEnabled(false);
  cleared_->setText(tr("Removing sessions …"));
  auto removed = std::make_shared<SessionsOnDisk>();
  session_.errands().run(
      [removed, folder = sessions_folder().toStdString(), video = open_video()]() -> Result<void> {
        const QString kept = video.isEmpty() ? QString() : session_folder(video);
        auto done = clear_sessions(folder, std::filesystem::path(kept.toStdString()).filename());
        if (!done) return std::move(done).error();
        *removed = *done;
        return {};
      },
      [here = QPointer(this), removed](const Result<void>& done) {
        if (!here) return;
        here->cleared_->setText(done ? tr("%1 freed.").arg(size_text(removed->bytes))
                                     : QString::fromStdString(done.error().message));
        here->count_sessions();
      });
}

}  // namespace longtake
