#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QAbstractItemModelTester>
#include <QFile>
#include <QProcess>
#include <QTest>
#include <chrono>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/main_window.h"
#include "app/studio/session_controller.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using State = SessionController::State;

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

class Studio : public testing::Test {
 protected:
  Studio() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString(folder_.path().string()));
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->resize(1280, 720);
    window_->show();
  }
  ~Studio() override {
    window_.reset();
    session_.reset();
  }

  template <class Wanted>
  bool until(Wanted wanted, int seconds = 60) {
    return QTest::qWaitFor(wanted, 1000 * seconds);
  }
  void open() {
    window_->open(QString::fromStdString(clip()));
    ASSERT_TRUE(until([&] { return session_->state() == State::kReady && !session_->image().isNull(); }));
  }
  void analyze() {
    QTest::keyClick(window_.get(), Qt::Key_R, Qt::ControlModifier);
    ASSERT_TRUE(until([&] { return session_->state() == State::kAnalyzed; }, 300));
  }
  void press(Qt::Key key) { QTest::keyClick(window_.get(), key); }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Studio, WritesTheBytesOfTheCommandLine) {
  const QAbstractItemModelTester events(&session_->findings().events(),
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(analyze());
  const QString other = QString::fromStdString((folder_.path() / "other.jsonl").string());
  ASSERT_EQ(
      QProcess::execute(QStringLiteral(LONGTAKE_PROGRAM), {QStringLiteral("analyze"), QString::fromStdString(clip()),
                                                           QStringLiteral("-q"), QStringLiteral("-o"), other}),
      0);
  ASSERT_FALSE(bytes_of(other).isEmpty());
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(other));
  EXPECT_EQ(session_->findings().curves().frames(), 200);
}

TEST_F(Studio, JumpsToAnEventsOwnFrame) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(analyze());
  const auto pts = clip_pts();
  const auto& events = session_->findings().events().events();
  ASSERT_FALSE(events.empty());
  const auto shown = [&](std::size_t frame) {
    return until([&, frame] { return session_->shown_pts() == pts[frame]; });
  };
  const auto first = static_cast<std::size_t>(events.front().frame);
  ASSERT_EQ(events.front().pts, pts[first]);
  press(Qt::Key_Down);
  EXPECT_TRUE(shown(first));
  press(Qt::Key_Comma);
  EXPECT_TRUE(shown(first - 1));
  press(Qt::Key_Down);
  EXPECT_TRUE(shown(first));
  press(Qt::Key_Period);
  EXPECT_TRUE(shown(first + 1));
  press(Qt::Key_Up);
  EXPECT_TRUE(shown(first));
  press(Qt::Key_Home);
  EXPECT_TRUE(until([&] { return session_->shown_pts() == session_->info().first_pts; }));
}

TEST_F(Studio, StopsInTheMiddleAndGoesOnToTheSameBytes) {
  ASSERT_NO_FATAL_FAILURE(open());
  QTest::keyClick(window_.get(), Qt::Key_R, Qt::ControlModifier);
  ASSERT_TRUE(until([&] { return session_->findings().curves().frames() > 20; }));
  QTest::keyClick(window_.get(), Qt::Key_Period, Qt::ControlModifier);
  ASSERT_TRUE(until([&] { return session_->state() != State::kAnalyzing; }));
  const std::int64_t so_far = session_->findings().curves().frames();
  ASSERT_NO_FATAL_FAILURE(analyze());
  EXPECT_EQ(session_->findings().curves().frames(), 200);
  EXPECT_LE(so_far, 200);
  const QString other = QString::fromStdString((folder_.path() / "other.jsonl").string());
  ASSERT_EQ(
      QProcess::execute(QStringLiteral(LONGTAKE_PROGRAM), {QStringLiteral("analyze"), QString::fromStdString(clip()),
                                                           QStringLiteral("-q"), QStringLiteral("-o"), other}),
      0);
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(other));
}

TEST_F(Studio, SaysWhatCannotBeOpened) {
  QString said;
  QObject::connect(session_.get(), &SessionController::failed, session_.get(),
                   [&](const Error& error) { said = QString::fromStdString(error.message); });
  window_->open(QStringLiteral("/no/such/video.mp4"));
  EXPECT_TRUE(until([&] { return said.contains(QStringLiteral("/no/such/video.mp4")); }));
  EXPECT_EQ(session_->state(), State::kEmpty);
  ASSERT_NO_FATAL_FAILURE(open());  // and is as good as new
}

// A server that takes the connection and never answers.
TEST_F(Studio, ClosesAtOnceWhileADeadSourceIsBeingOpened) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(server, 1), 0);
  ASSERT_EQ(getsockname(server, reinterpret_cast<sockaddr*>(&address), &length), 0);
  window_->open(QStringLiteral("http://127.0.0.1:%1/dead.mp4").arg(ntohs(address.sin_port)));
  QTest::qWait(300);
  EXPECT_EQ(session_->state(), State::kOpening);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(window_->close());
  EXPECT_LT(std::chrono::steady_clock::now() - start,
            std::chrono::seconds(1));  // and not the ten that opening may take
  ::close(server);
}

}  // namespace
}  // namespace longtake
