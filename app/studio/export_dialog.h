// Turns the session's result into a file for other programs: shows what it will be, and the command that makes the same.
#pragma once

#include <QDialog>
#include <memory>

#include "app/studio/export_worker.h"
#include "app/studio/mailbox.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QListWidget;
class QPlainTextEdit;
class QPushButton;
class QStackedWidget;

namespace longtake {

// What is exported. `fps`: the video's rate as people write it, empty if it is not known.
struct ExportSubject {
  QString result;
  QString video;  // path or URL
  QString fps;
  ExportWorker::Prepare prepare = nullptr;  // makes `result`; none: it is there
};

class ExportDialog : public QDialog {
  Q_OBJECT

 public:
  explicit ExportDialog(ExportSubject subject, QWidget* parent = nullptr);
  ~ExportDialog() override;

  // As the widgets have it now.
  ExportRequest request() const;
  QString output() const;
  QString command() const;  // for a shell

 Q_SIGNALS:
  void saved(const QString& file);

 private:
  struct Letter {
    ExportWorker::Wish wish;
    QString error, notes, text;
    QByteArray picture;
    bool cut = false;  // the file goes on behind `text`
  };
  static Letter letter_of(ExportWorker::Wish wish, Result<Exported> exported);

  QWidget* make_options();
  QWidget* make_preview();
  void choose_format();
  void choose_file();
  void look();  // asks for a preview of what is chosen now
  void save();
  void copy_command();
  void read(const Letter& letter);
  void show_picture();
  void resizeEvent(QResizeEvent* event) override;
  const ExportFormat& format() const;

  const ExportSubject subject_;
  QListWidget* formats_;
  QFormLayout* options_ = nullptr;
  QComboBox* rows_ = nullptr;
  QLineEdit *fps_ = nullptr, *start_timecode_ = nullptr, *file_;
  QStackedWidget* preview_ = nullptr;
  QPlainTextEdit* text_ = nullptr;
  QLabel *picture_ = nullptr, *about_ = nullptr, *message_;
  QPushButton* save_;
  QPixmap drawn_;
  bool named_ = false;  // the file's name was typed or chosen, and not made here

  // The mailbox before the thread that posts into it: it is closed before that is joined.
  std::unique_ptr<Mailbox<Letter>> from_worker_;
  std::unique_ptr<ExportWorker> worker_;
};

}  // namespace longtake
