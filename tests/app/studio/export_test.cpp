#include <QClipboard>
#include <QComboBox>
#include <QFile>
#include <QFileInfo>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QTest>
#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/export_dialog.h"
#include "app/studio/main_window.h"
#include "app/studio/message_bar.h"
#include "app/studio/session_controller.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

class ExportWindow : public testing::Test {
 protected:
  ExportWindow() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString(folder_.path().string()));
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->show();
  }
  ~ExportWindow() override {
    window_.reset();
    session_.reset();
  }

  // Analyses the clip and opens the dialog by its key.
  void open_dialog() {
    using State = SessionController::State;
    window_->open(QString::fromStdString(clip()));
    ASSERT_TRUE(
        QTest::qWaitFor([&] { return session_->state() == State::kReady && !session_->image().isNull(); }, 60'000));
    QTest::keyClick(window_.get(), Qt::Key_R, Qt::ControlModifier);
    ASSERT_TRUE(QTest::qWaitFor([&] { return session_->state() == State::kAnalyzed; }, 300'000));
    QTest::keyClick(window_.get(), Qt::Key_E, Qt::ControlModifier);
    dialog_ = window_->findChild<ExportDialog*>();
    ASSERT_NE(dialog_, nullptr);
    ASSERT_TRUE(QTest::qWaitForWindowExposed(dialog_));
  }
  template <class Widget>
  Widget* part(const char* name) {
    return dialog_->findChild<Widget*>(QString::fromLatin1(name));
  }
  void choose(const char* format) {
    auto* list = part<QListWidget>("formats");
    const auto found = list->findItems(QString::fromLatin1(format) + QLatin1Char('\n'), Qt::MatchStartsWith);
    ASSERT_EQ(found.size(), 1) << format;
    QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualItemRect(found.front()).center());
    list->setCurrentItem(found.front());  // where it was out of sight
  }
  void name_file(const QString& name) {
    auto* file = part<QLineEdit>("file");
    file->selectAll();
    QTest::keyClicks(file, name);
    ASSERT_EQ(file->text(), name);
  }
  void save() {
    bool done = false;
    const auto connection = QObject::connect(dialog_, &ExportDialog::saved, dialog_, [&] { done = true; });
    QTest::mouseClick(part<QPushButton>("save"), Qt::LeftButton);
    EXPECT_TRUE(QTest::qWaitFor([&] { return done; }, 60'000)) << part<QLabel>("message")->text().toStdString();
    QObject::disconnect(connection);
  }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
  ExportDialog* dialog_ = nullptr;
};

TEST_F(ExportWindow, SaysThatThereIsNothingToExportYet) {
  ASSERT_TRUE(QTest::qWaitForWindowActive(window_.get()));
  QTest::keyClick(window_.get(), Qt::Key_E, Qt::ControlModifier);
  EXPECT_EQ(window_->findChild<ExportDialog*>(), nullptr);
  EXPECT_TRUE(window_->findChild<MessageBar*>()->sentence().contains(QStringLiteral("nothing to export")));
}

// The clipboard's line, given to a shell as it is, for every format and for a name that a shell could misread.
TEST_F(ExportWindow, ThePastedCommandWritesTheBytesThatSaveWrites) {
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  const QString programs = QFileInfo(QStringLiteral(LONGTAKE_PROGRAM)).absolutePath();
  environment.insert(QStringLiteral("PATH"), programs + QLatin1Char(':') + environment.value(QStringLiteral("PATH")));
  for (const ExportFormat& format : export_formats()) {
    ASSERT_NO_FATAL_FAILURE(choose(std::string(format.name).c_str()));
    const QString file = QString::fromStdString((folder_ / "it's $HOME `x` \"y\" ; ").string()) +
                         QString::fromUtf8(format.ending.data(), static_cast<qsizetype>(format.ending.size()));
    ASSERT_NO_FATAL_FAILURE(name_file(file));
    if (format.rows) QTest::keyClicks(part<QComboBox>("rows"), QStringLiteral("e"));
    if (format.timecodes) {
      auto* code = part<QLineEdit>("start timecode");
      code->selectAll();
      QTest::keyClicks(code, QStringLiteral("01:00:00:00"));
      part<QLineEdit>("fps")->setText(QStringLiteral("25"));
    }
    save();
    const QByteArray saved = bytes_of(file);
    ASSERT_FALSE(saved.isEmpty()) << format.name;
    ASSERT_TRUE(QFile::remove(file));

    QTest::mouseClick(part<QPushButton>("copy"), Qt::LeftButton);
    QProcess shell;
    shell.setProcessEnvironment(environment);
    shell.start(QStringLiteral("/bin/sh"), {QStringLiteral("-c"), QGuiApplication::clipboard()->text()});
    ASSERT_TRUE(shell.waitForFinished(60'000));
    ASSERT_EQ(shell.exitCode(), 0) << shell.readAllStandardError().toStdString();
    EXPECT_EQ(bytes_of(file), saved) << format.name;
  }
  EXPECT_EQ(part<QComboBox>("rows")->currentData().toString(), QStringLiteral("events"));  // so that options were tried
}

TEST_F(ExportWindow, ShowsHowTheFileBegins) {
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  const auto shows = [&](const char* start) {
    return QTest::qWaitFor(
        [&] { return part<QPlainTextEdit>("preview")->toPlainText().startsWith(QString::fromLatin1(start)); }, 30'000);
  };
  ASSERT_NO_FATAL_FAILURE(choose("webvtt"));
  EXPECT_TRUE(shows("WEBVTT\n\n1\n00:00:00.000 --> 00:00:04.000\n"));  // the clip's cut
  ASSERT_NO_FATAL_FAILURE(choose("json"));
  EXPECT_TRUE(shows("{\"schema\":1"));
  EXPECT_LE(part<QPlainTextEdit>("preview")->toPlainText().size(), 16 << 10);
  ASSERT_NO_FATAL_FAILURE(choose("png"));
  EXPECT_TRUE(
      QTest::qWaitFor([&] { return !part<QLabel>("preview picture")->pixmap(Qt::ReturnByValue).isNull(); }, 30'000));
}

// The window is there before what it exports is, says why there is none, and does not wait for it when it is closed.
TEST(ExportOfEdits, IsMadeBehindTheWindow) {
  std::atomic<int> made = 0;
  std::atomic<bool> stopped = false;
  const auto make = [&](const std::stop_token& stop) -> Result<void> {
    if (++made == 1) return Error{ErrorKind::kUnexpected, "the disk is full"};
    while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stopped = true;
    return Error{ErrorKind::kStopped, "stopped"};
  };
  auto dialog = std::make_unique<ExportDialog>(ExportSubject{QStringLiteral("/no/such.jsonl"), {}, {}, make});
  dialog->show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(dialog.get()));
  const auto* message = dialog->findChild<QLabel*>(QStringLiteral("message"));
  ASSERT_TRUE(QTest::qWaitFor([&] { return message->text() == QStringLiteral("the disk is full"); }, 30'000));
  QTest::keyClick(dialog->findChild<QListWidget*>(QStringLiteral("formats")), Qt::Key_Down);  // asks again
  ASSERT_TRUE(QTest::qWaitFor([&] { return made == 2; }, 30'000));
  EXPECT_TRUE(message->text().isEmpty());
  dialog.reset();
  EXPECT_TRUE(stopped);
}

TEST_F(ExportWindow, SaysWhatCannotBeWritten) {
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  ASSERT_NO_FATAL_FAILURE(choose("csv"));
  ASSERT_NO_FATAL_FAILURE(name_file(QStringLiteral("/no/such/folder/clip.csv")));
  QTest::mouseClick(part<QPushButton>("save"), Qt::LeftButton);
  EXPECT_TRUE(QTest::qWaitFor([&] { return part<QLabel>("message")->text().contains(QStringLiteral("cannot write")); },
                              30'000));
  EXPECT_TRUE(QTest::qWaitFor([&] { return part<QPushButton>("save")->isEnabled(); }, 30'000));
}

}  // namespace
}  // namespace longtake
