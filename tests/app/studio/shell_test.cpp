// What is around the video: where videos come from, what is remembered, what is said.
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QProcess>
#include <QPushButton>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/cameras.h"
#include "app/studio/main_window.h"
#include "app/studio/message_bar.h"
#include "app/studio/source_name.h"
#include "app/studio/url_dialog.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using State = SessionController::State;

class Shell : public testing::Test {
 protected:
  Shell() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString((folder_ / "state").string()));
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString((folder_ / "config").string()));
    start();
  }
  ~Shell() override { end(); }

  void start() {
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->resize(1280, 720);
    window_->restore_layout();
    window_->show();
  }
  void end() {
    if (window_) window_->close();
    window_.reset();
    session_.reset();
  }
  void start_again() {
    end();
    start();
  }

  bool until(const std::function<bool()>& wanted, int seconds = 60) { return QTest::qWaitFor(wanted, 1000 * seconds); }
  bool shows(const std::string& path) {
    return until([&] {
      return session_->state() == State::kReady && !session_->image().isNull() &&
             session_->uri() == QString::fromStdString(path);
    });
  }
  // The menu of that name below one of the menu bar's, filled as if it were opened.
  QMenu* menu(const QString& title) {
    for (QMenu* one : window_->menuBar()->findChildren<QMenu*>()) {
      if (QString(one->title()).remove(QLatin1Char('&')) != title) continue;
      Q_EMIT one->aboutToShow();
      return one;
    }
    return nullptr;
  }
  MessageBar& messages() { return *window_->findChild<MessageBar*>(); }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST(SourceName, ShowsAndKeepsNoPasswords) {
  const QString url = QStringLiteral("rtsp://ann:s3cret@camera:554/live");
  EXPECT_FALSE(shown_name(url).contains(QStringLiteral("s3cret")));
  EXPECT_EQ(kept_name(url), QStringLiteral("rtsp://ann@camera:554/live"));
  EXPECT_TRUE(is_incomplete(kept_name(url)));
  const QString token = QStringLiteral("https://host/video.mp4?token=s3cret");
  EXPECT_FALSE(shown_name(token).contains(QStringLiteral("s3cret")));
  EXPECT_EQ(kept_name(token), QStringLiteral("https://host/video.mp4?"));
  EXPECT_TRUE(is_incomplete(kept_name(token)));
  // Not a URL by the book, so nobody knows where the password ends.
  EXPECT_TRUE(kept_name(QStringLiteral("rtsp://ann:s3c/ret@camera/live")).isEmpty());
  const QString open = QStringLiteral("https://host/video.mp4");
  EXPECT_EQ(kept_name(open), open);
  EXPECT_FALSE(is_incomplete(open));
  EXPECT_FALSE(is_incomplete(QStringLiteral("/videos/really?")));
  EXPECT_TRUE(kept_name(QStringLiteral("-")).isEmpty());
}

TEST(UrlDialog, TakesWhatHasTheFormOfAnAddress) {
  UrlDialog dialog({});
  dialog.show();
  auto* address = dialog.findChild<QLineEdit*>();
  auto* open = dialog.findChild<QPushButton*>();  // the first of the two
  ASSERT_EQ(open->text().remove(QLatin1Char('&')), QStringLiteral("Open"));
  for (const char* wrong : {"camera/stream", "gopher://camera/x", "rtsp:///stream", "http://a b/c"}) {
    address->clear();
    QTest::keyClicks(address, QString::fromLatin1(wrong));
    EXPECT_FALSE(open->isEnabled()) << wrong;
    EXPECT_FALSE(url_complaint(dialog.address()).isEmpty()) << wrong;
  }
  address->clear();
  QTest::keyClicks(address, QStringLiteral("rtsp://ann:s3cret@camera/stream"));
  EXPECT_TRUE(open->isEnabled());
  QTest::keyClick(address, Qt::Key_Return);
  EXPECT_EQ(dialog.result(), QDialog::Accepted);
}

TEST(Cameras, AreThoseTheKernelHas) {
  namespace fs = std::filesystem;
  const TempDir root;
  const QString at = QString::fromStdString(root.path().string());
  EXPECT_TRUE(find_cameras(at).isEmpty());
  const auto device = [&](const std::string& entry, const std::string& name, const std::string& index) {
    fs::create_directories(root / "dev");
    fs::create_directories(root.path() / "sys/class/video4linux" / entry);
    std::ofstream(root.path() / "dev" / entry) << "";
    std::ofstream(root.path() / "sys/class/video4linux" / entry / "index") << index << "\n";
    if (!name.empty()) std::ofstream(root.path() / "sys/class/video4linux" / entry / "name") << name << "\n";
  };
  device("video10", "", "0");
  device("video2", "Door", "0");
  device("video3", "Door", "1");  // what the camera tells about its pictures
  const QList<Camera> found = find_cameras(at);
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].device, QStringLiteral("/dev/video2"));
  EXPECT_EQ(found[0].name, QStringLiteral("Door"));
  EXPECT_EQ(found[1].name, QStringLiteral("/dev/video10"));
}

TEST_F(Shell, RemembersWhatWasOpened) {
  window_->open(QString::fromStdString(clip()));
  ASSERT_TRUE(shows(clip()));
  const std::string copy = (folder_ / "copy.mp4").string();
  std::filesystem::copy_file(clip(), copy);
  window_->open(QString::fromStdString(copy));
  ASSERT_TRUE(shows(copy));
  start_again();
  std::filesystem::remove(copy);
  const auto lines = menu(QStringLiteral("Open recent"))->actions();
  ASSERT_GE(lines.size(), 2);
  EXPECT_EQ(lines[0]->text(), QStringLiteral("copy.mp4"));
  EXPECT_FALSE(lines[0]->isEnabled());  // it is gone
  EXPECT_TRUE(lines[1]->isEnabled());
  lines[1]->trigger();
  EXPECT_TRUE(shows(clip()));
  menu(QStringLiteral("Open recent"))->actions().back()->trigger();
  EXPECT_FALSE(menu(QStringLiteral("Open recent"))->actions().front()->isEnabled());
  EXPECT_TRUE(window_->preferences().recent().isEmpty());
}

TEST_F(Shell, WelcomesWithWhatCanBeOpened) {
  auto* welcome = window_->findChild<QWidget*>(QStringLiteral("welcome"));
  EXPECT_TRUE(welcome->isVisible());
  window_->open(QString::fromStdString(clip()));
  ASSERT_TRUE(until([&] { return session_->state() == State::kReady; }));
  EXPECT_FALSE(welcome->isVisible());
  start_again();
  welcome = window_->findChild<QWidget*>(QStringLiteral("welcome"));
  EXPECT_TRUE(welcome->isVisible());
  for (auto* button : welcome->findChildren<QPushButton*>()) {
    if (button->toolTip() == QString::fromStdString(clip())) QTest::mouseClick(button, Qt::LeftButton);
  }
  EXPECT_TRUE(until([&] { return session_->state() == State::kReady; }));
}

TEST_F(Shell, PlaysAndStepsByMouse) {
  auto* transport = window_->findChild<QWidget*>(QStringLiteral("transport"));
  const auto button = [&](const char* name) {
    for (auto* one : transport->findChildren<QToolButton*>()) {
      if (one->accessibleName() == QLatin1String(name)) return one;
    }
    return static_cast<QToolButton*>(nullptr);
  };
  ASSERT_NE(button("One frame forward"), nullptr);
  EXPECT_FALSE(button("One frame forward")->isEnabled());
  window_->open(QString::fromStdString(clip()));
  ASSERT_TRUE(until([&] { return session_->state() == State::kReady && !session_->image().isNull(); }));
  const std::int64_t first = session_->shown_pts();
  QTest::mouseClick(button("One frame forward"), Qt::LeftButton);
  ASSERT_TRUE(until([&] { return session_->shown_pts() > first; }));
  QTest::mouseClick(button("One frame back"), Qt::LeftButton);
  EXPECT_TRUE(until([&] { return session_->shown_pts() == first; }));
  QTest::mouseClick(button("Play or pause"), Qt::LeftButton);
  EXPECT_TRUE(until([&] { return session_->playing() && session_->shown_pts() > first; }));
  QTest::mouseClick(button("Play or pause"), Qt::LeftButton);
  EXPECT_TRUE(until([&] { return !session_->playing(); }));
  EXPECT_TRUE(window_->findChild<QLabel*>(QStringLiteral("position"))->text().contains(QStringLiteral(" / ")));
}

// The window of a picture leaves what is remembered as it was.
TEST_F(Shell, APictureLeavesNoTraces) {
  const QString picture = QString::fromStdString((folder_ / "window.png").string());
  ASSERT_EQ(QProcess::execute(QStringLiteral(STUDIO_PROGRAM),
                              {QString::fromStdString(clip()), QStringLiteral("--screenshot"), picture}),
            0);
  EXPECT_TRUE(QFile::exists(picture));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "config"));
}

TEST_F(Shell, NeitherShowsNorWritesAPassword) {
  window_->open(QStringLiteral("http://ann:s3cret@127.0.0.1:1/video.mp4?key=s3cret"));
  ASSERT_TRUE(until([&] { return !messages().sentence().isEmpty(); }));
  menu(QStringLiteral("Open recent"));
  const QString secret = QStringLiteral("s3cret");
  EXPECT_FALSE(window_->windowTitle().contains(secret));
  EXPECT_FALSE(messages().sentence().contains(secret)) << messages().sentence().toStdString();
  for (const QAction* one : window_->findChildren<QAction*>()) {
    EXPECT_FALSE(one->text().contains(secret) || one->toolTip().contains(secret));
  }
  for (const QLabel* one : window_->findChildren<QLabel*>()) EXPECT_FALSE(one->text().contains(secret));
  end();
  QFile written(QString::fromStdString((folder_ / "config").string()) + QStringLiteral("/longtake/studio.ini"));
  ASSERT_TRUE(written.open(QIODevice::ReadOnly));
  const QByteArray text = written.readAll();
  EXPECT_TRUE(text.contains("127.0.0.1")) << text.toStdString();
  EXPECT_FALSE(text.contains("s3cret")) << text.toStdString();
}

TEST_F(Shell, SaysWhatWentWrongUntilItIsClosed) {
  window_->open(QStringLiteral("/no/such/video.mp4"));
  ASSERT_TRUE(until([&] { return messages().sentence().contains(QStringLiteral("/no/such/video.mp4")); }));
  EXPECT_TRUE(messages().isVisible());
  QTest::mouseClick(messages().findChild<QToolButton*>(), Qt::LeftButton);
  EXPECT_FALSE(messages().isVisible());
  for (const QAction* one : menu(QStringLiteral("Open recent"))->actions())
    EXPECT_NE(one->text(), QStringLiteral("video.mp4"));
  window_->open(QStringLiteral("/no/such/video.mp4"));
  ASSERT_TRUE(until([&] { return messages().isVisible(); }));
  window_->open(QString::fromStdString(clip()));
  ASSERT_TRUE(shows(clip()));
  EXPECT_FALSE(messages().isVisible());
}

TEST_F(Shell, OpensWhatIsDroppedOnIt) {
  QMimeData dropped;
  dropped.setUrls({QUrl::fromLocalFile(QString::fromStdString(clip()))});
  QDragEnterEvent enter({100, 100}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &enter);
  ASSERT_TRUE(enter.isAccepted());
  QDropEvent drop({100, 100}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &drop);
  EXPECT_TRUE(shows(clip()));
}

TEST_F(Shell, KeepsItsLayoutAndResetsIt) {
  const auto dock = [&](const char* name) { return window_->findChild<QDockWidget*>(QString::fromLatin1(name)); };
  dock("events")->hide();
  dock("loss")->setFloating(true);
  start_again();
  EXPECT_TRUE(dock("events")->isHidden());
  EXPECT_TRUE(dock("loss")->isFloating());
  window_->reset_layout();
  EXPECT_FALSE(dock("events")->isHidden());
  EXPECT_FALSE(dock("loss")->isFloating());
}

TEST_F(Shell, KeepsItsTheme) {
  const auto dark = [] { return QApplication::palette().color(QPalette::Window).lightness() < 128; };
  const QPalette before = QApplication::palette();
  window_->preferences().set_theme(Theme::kDark);
  start_again();
  EXPECT_EQ(window_->preferences().theme(), Theme::kDark);
  apply_theme(Theme::kDark);
  EXPECT_TRUE(dark());
  apply_theme(Theme::kLight);
  EXPECT_FALSE(dark());
  apply_theme(Theme::kDark);
  apply_theme(Theme::kSystem);  // the desktop's own colours, not those of the theme before
  EXPECT_EQ(dark(), before.color(QPalette::Window).lightness() < 128);
  QApplication::setPalette(QPalette());
}

}  // namespace
}  // namespace longtake
