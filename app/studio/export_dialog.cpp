#include "app/studio/export_dialog.h"

#include <QClipboard>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QFontDatabase>
#include <QFormLayout>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

namespace longtake {
namespace {

constexpr std::size_t kPreviewBytes = 16 << 10;  // of a text
constexpr std::size_t kUnread = 4;

std::string path_of(const QString& name) { return QFile::encodeName(name).toStdString(); }

// What stands for a format in the preview: a page and a drawing are shown by their curves.
std::string previewed_as(const ExportFormat& format) {
  return std::string(format.name == "html" || format.name == "svg" ? "png" : format.name);
}

}  // namespace

ExportDialog::ExportDialog(ExportSubject subject, QWidget* parent)
    : QDialog(parent),
      subject_(std::move(subject)),
      formats_(new QListWidget(this)),
      file_(new QLineEdit(this)),
      message_(new QLabel(this)) {
  setObjectName(QStringLiteral("export dialog"));
  setWindowTitle(tr("Export"));
  formats_->setObjectName(QStringLiteral("formats"));
  formats_->setAccessibleName(tr("Format"));
  formats_->setWordWrap(true);
  formats_->setTextElideMode(Qt::ElideNone);
  formats_->setSpacing(2);
  formats_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  formats_->setFixedWidth(fontMetrics().averageCharWidth() * 44);
  for (const ExportFormat& one : export_formats()) {
    formats_->addItem(QString::fromUtf8(one.name.data(), static_cast<qsizetype>(one.name.size())) + QLatin1Char('\n') +
                      QString::fromUtf8(one.sentence.data(), static_cast<qsizetype>(one.sentence.size())));
  }

  file_->setObjectName(QStringLiteral("file"));
  file_->setAccessibleName(tr("File to write"));
  message_->setObjectName(QStringLiteral("message"));
  message_->setAccessibleName(tr("What came of it"));
  message_->setWordWrap(true);
  message_->setTextFormat(Qt::PlainText);
  auto* browse = new QPushButton(tr("&Browse…"), this);
  auto* file_line = new QHBoxLayout;
  auto* file_label = new QLabel(tr("&File:"), this);
  file_label->setBuddy(file_);
  file_line->addWidget(file_label);
  file_line->addWidget(file_, 1);
  file_line->addWidget(browse);

  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  auto* copy = buttons->addButton(tr("&Copy as command"), QDialogButtonBox::ActionRole);
  copy->setObjectName(QStringLiteral("copy"));
  copy->setToolTip(tr("Puts a line for a shell on the clipboard that writes the same file."));
  save_ = buttons->addButton(tr("&Save"), QDialogButtonBox::ApplyRole);
  save_->setObjectName(QStringLiteral("save"));
  save_->setDefault(true);

  auto* right = new QVBoxLayout;
  right->addWidget(make_options());
  right->addWidget(make_preview(), 1);
  right->addLayout(file_line);
  right->addWidget(message_);
  auto* middle = new QHBoxLayout;
  middle->addWidget(formats_);
  middle->addLayout(right, 1);
  auto* all = new QVBoxLayout(this);
  all->addLayout(middle, 1);
  all->addWidget(buttons);
  resize(fontMetrics().averageCharWidth() * 130, fontMetrics().height() * 36);

  from_worker_ = std::make_unique<Mailbox<Letter>>(kUnread, [this](const std::vector<Letter>& letters) {
    for (const Letter& letter : letters) read(letter);
  });
  worker_ = std::make_unique<ExportWorker>(
      [box = from_worker_.get()](ExportWorker::Wish wish, Result<Exported> exported) {
        box->post(letter_of(std::move(wish), std::move(exported)));
      },
      subject_.prepare);

  connect(formats_, &QListWidget::currentRowChanged, this, &ExportDialog::choose_format);
  connect(rows_, &QComboBox::currentIndexChanged, this, &ExportDialog::look);
  connect(fps_, &QLineEdit::textChanged, this, &ExportDialog::look);
  connect(start_timecode_, &QLineEdit::textChanged, this, &ExportDialog::look);
  connect(file_, &QLineEdit::textEdited, this, [this] { named_ = true; });
  connect(file_, &QLineEdit::textChanged, this, [this] { save_->setEnabled(!file_->text().isEmpty()); });
  connect(browse, &QPushButton::clicked, this, &ExportDialog::choose_file);
  connect(copy, &QPushButton::clicked, this, &ExportDialog::copy_command);
  connect(save_, &QPushButton::clicked, this, &ExportDialog::save);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  formats_->setCurrentRow(0);
  formats_->setFocus();
}

ExportDialog::~ExportDialog() {
  from_worker_->close();
  worker_.reset();
}

QWidget* ExportDialog::make_options() {
  auto* out = new QWidget(this);
  options_ = new QFormLayout(out);
  options_->setContentsMargins(0, 0, 0, 0);
  rows_ = new QComboBox(out);
  rows_->setObjectName(QStringLiteral("rows"));
  rows_->addItem(tr("segments and events"), QStringLiteral("both"));
  rows_->addItem(tr("segments"), QStringLiteral("segments"));
  rows_->addItem(tr("events"), QStringLiteral("events"));
  rows_->addItem(tr("frames, with all that was measured"), QStringLiteral("frames"));
  fps_ = new QLineEdit(out);
  fps_->setObjectName(QStringLiteral("fps"));
  start_timecode_ = new QLineEdit(out);
  start_timecode_->setObjectName(QStringLiteral("start timecode"));
  start_timecode_->setPlaceholderText(QStringLiteral("00:00:00:00"));
  options_->addRow(tr("&Rows:"), rows_);
  options_->addRow(tr("Frames a &second of time codes:"), fps_);
  options_->addRow(tr("&Time code of the first frame:"), start_timecode_);
  return out;
}

QWidget* ExportDialog::make_preview() {
  auto* out = new QWidget(this);
  auto* column = new QVBoxLayout(out);
  column->setContentsMargins(0, 0, 0, 0);
  about_ = new QLabel(out);
  about_->setObjectName(QStringLiteral("about preview"));
  about_->setEnabled(false);  // a remark
  preview_ = new QStackedWidget(out);
  text_ = new QPlainTextEdit(preview_);
  text_->setObjectName(QStringLiteral("preview"));
  text_->setAccessibleName(tr("Preview"));
  text_->setReadOnly(true);
  text_->setLineWrapMode(QPlainTextEdit::NoWrap);
  text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  text_->setTabChangesFocus(true);
  picture_ = new QLabel(preview_);
  picture_->setObjectName(QStringLiteral("preview picture"));
  picture_->setAccessibleName(tr("Preview"));
  picture_->setAlignment(Qt::AlignCenter);
  picture_->setMinimumSize(1, 1);
  picture_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Ignored);
  preview_->addWidget(text_);
  preview_->addWidget(picture_);
  column->addWidget(about_);
  column->addWidget(preview_, 1);
  return out;
}

const ExportFormat& ExportDialog::format() const {
  return export_formats()[static_cast<std::size_t>(std::max(0, formats_->currentRow()))];
}

ExportRequest ExportDialog::request() const {
  ExportRequest out;
  out.result = path_of(subject_.result);
  out.format = std::string(format().name);
  if (format().video) out.video = path_of(subject_.video);
  if (format().rows) out.rows = rows_->currentData().toString().toStdString();
  if (format().timecodes && !fps_->text().trimmed().isEmpty()) out.fps = fps_->text().trimmed().toStdString();
  if (format().timecodes) out.start_timecode = start_timecode_->text().trimmed().toStdString();
  return out;
}

QString ExportDialog::output() const { return QDir::current().absoluteFilePath(file_->text()); }

QString ExportDialog::command() const {
  return QFile::decodeName(QByteArray::fromStdString(shell_command(request(), path_of(output()))));
}

void ExportDialog::choose_format() {
  options_->setRowVisible(rows_, format().rows);
  options_->setRowVisible(fps_, format().timecodes);
  options_->setRowVisible(start_timecode_, format().timecodes);
  const bool needs_rate = format().name == "edl";
  fps_->setText(needs_rate ? subject_.fps : QString());
  fps_->setPlaceholderText(needs_rate ? QStringLiteral("25") : tr("none: the exact times of the frames"));
  if (!named_) {
    const QFileInfo video(subject_.video);
    const QDir folder = video.isFile() ? video.absoluteDir() : QDir::home();
    const QString name = video.isFile() ? video.completeBaseName() : tr("result");
    file_->setText(folder.filePath(
        name + QString::fromUtf8(format().ending.data(), static_cast<qsizetype>(format().ending.size()))));
  }
  look();
}

void ExportDialog::choose_file() {
  const QString file = QFileDialog::getSaveFileName(this, tr("File to write"), output());
  if (file.isEmpty()) return;
  file_->setText(file);
  named_ = true;
}

void ExportDialog::look() {
  message_->clear();
  about_->setText(tr("Making the preview …"));
  ExportRequest wanted = request();
  wanted.format = previewed_as(format());
  worker_->ask({std::move(wanted), {}});
}

void ExportDialog::save() {
  message_->setText(tr("Writing %1 …").arg(output()));
  save_->setEnabled(false);
  worker_->ask({request(), path_of(output())});
}

void ExportDialog::copy_command() {
  QGuiApplication::clipboard()->setText(command());
  message_->setText(tr("The command is on the clipboard."));
}

ExportDialog::Letter ExportDialog::letter_of(ExportWorker::Wish wish, Result<Exported> exported) {
  Letter out{std::move(wish), {}, {}, {}, {}};
  if (!exported) {
    out.error = QString::fromStdString(exported.error().message);
    return out;
  }
  for (const std::string& note : exported->notes) out.notes += QString::fromStdString(note) + QLatin1Char('\n');
  if (!out.wish.output.empty()) return out;
  if (out.wish.request.format == "png") {
    out.picture = QByteArray::fromStdString(exported->bytes);
  } else {
    out.cut = exported->bytes.size() > kPreviewBytes;
    out.text = QString::fromUtf8(exported->bytes.data(),
                                 static_cast<qsizetype>(std::min(kPreviewBytes, exported->bytes.size())));
  }
  return out;
}

void ExportDialog::read(const Letter& letter) {
  const bool written = !letter.wish.output.empty();
  if (written) save_->setEnabled(true);
  const QString file = QFile::decodeName(QByteArray::fromStdString(letter.wish.output.string()));
  message_->setText(!letter.error.isEmpty() ? letter.error
                    : written               ? (tr("Saved as %1.\n").arg(file) + letter.notes).trimmed()
                                            : letter.notes.trimmed());
  if (written) {
    if (letter.error.isEmpty()) Q_EMIT saved(file);
    return;
  }
  const bool picture = !letter.picture.isEmpty();
  drawn_ = {};
  if (picture) drawn_.loadFromData(letter.picture);
  preview_->setCurrentWidget(picture ? static_cast<QWidget*>(picture_) : text_);
  text_->setPlainText(letter.text);
  about_->setText(letter.cut ? tr("Preview: how the file begins")
                  : picture  ? tr("Preview: its curves")
                             : tr("Preview"));
  show_picture();
}

void ExportDialog::show_picture() {
  if (drawn_.isNull()) {
    picture_->clear();
    return;
  }
  QPixmap fitted = drawn_.scaled(preview_->size() * devicePixelRatioF(), Qt::KeepAspectRatio, Qt::SmoothTransformation);
  fitted.setDevicePixelRatio(devicePixelRatioF());
  picture_->setPixmap(fitted);
}

void ExportDialog::resizeEvent(QResizeEvent* event) {
  QDialog::resizeEvent(event);
  show_picture();
}

}  // namespace longtake
