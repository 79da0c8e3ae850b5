#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QDockWidget>
#include <QLabel>
#include <QProcess>
#include <QTest>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/live_panel.h"
#include "app/studio/main_window.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using State = SessionController::State;

int free_port() {
  const int at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(at, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(at, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(at);
  return ntohs(address.sin_port);
}

// A camera: the clip again and again, as fast as it was recorded, to whoever connects first.
class Live : public testing::Test {
 protected:
  Live() : log_(*make_log(-1, {})), uri_(QStringLiteral("tcp://127.0.0.1:%1").arg(free_port())) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString(folder_.path().string()));
    start_camera();
    QTest::qWait(1000);
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->show();
  }
  ~Live() override {
    if (camera_.state() != QProcess::NotRunning) ::kill(static_cast<pid_t>(camera_.processId()), SIGCONT);
    window_.reset();
    session_.reset();
    camera_.kill();
    camera_.waitForFinished();
  }

  void start_camera() {
    camera_.start(
        QStringLiteral("ffmpeg"),
        {QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-re"), QStringLiteral("-stream_loop"),
         QStringLiteral("-1"), QStringLiteral("-i"), QString::fromStdString(clip()), QStringLiteral("-c"),
         QStringLiteral("copy"), QStringLiteral("-f"), QStringLiteral("mpegts"), uri_ + QStringLiteral("?listen=1")});
    camera_.waitForStarted();
  }
  template <class Wanted>
  bool until(Wanted wanted, int seconds = 60) {
    return QTest::qWaitFor(wanted, 1000 * seconds);
  }
  QString said(const char* name) const { return window_->findChild<QLabel*>(QLatin1String(name))->text(); }
  QWidget* no_signal() const { return window_->findChild<QWidget*>(QStringLiteral("no_signal")); }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  const QString uri_;
  QProcess camera_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Live, ShowsWhatTheAnalysisWatchesAndSaysWhenNothingComes) {
  window_->open(uri_);
  EXPECT_EQ(said("live_state"), QStringLiteral("Connecting …"));
  ASSERT_TRUE(until([&] { return said("live_state") == QStringLiteral("Streaming"); }));
  ASSERT_TRUE(until([&] { return !session_->image().isNull() && session_->findings().curves().frames() > 20; }));
  EXPECT_TRUE(window_->findChild<QDockWidget*>(QStringLiteral("live"))->isVisible());
  EXPECT_FALSE(no_signal()->isVisible());
  const std::int64_t shown = session_->shown_pts();
  EXPECT_TRUE(until([&] { return session_->shown_pts() > shown; }));
  const auto counts = *session_->live_counts();
  EXPECT_GE(counts.received, counts.watched);
  EXPECT_GT(counts.watched, 20);
  EXPECT_TRUE(counts.latency_s.has_value());

  // The camera says nothing, and does not hang up.
  ::kill(static_cast<pid_t>(camera_.processId()), SIGSTOP);
  ASSERT_TRUE(until([&] { return no_signal()->isVisible(); }));
  EXPECT_TRUE(said("live_state").startsWith(QStringLiteral("Stalled")));
  EXPECT_GE(session_->live_counts()->silent_s.value_or(0), 5);
  EXPECT_TRUE(static_cast<NoSignal*>(no_signal())->words().startsWith(QStringLiteral("No signal for ")));
  ::kill(static_cast<pid_t>(camera_.processId()), SIGCONT);
  EXPECT_TRUE(until([&] { return !no_signal()->isVisible(); }));
  EXPECT_EQ(said("live_state"), QStringLiteral("Streaming"));

  camera_.kill();
  EXPECT_TRUE(until([&] { return said("live_state").startsWith(QStringLiteral("Lost")); }));
  EXPECT_TRUE(no_signal()->isVisible());  // the last picture is not taken for what is there now

  // The camera is there again.
  const std::int64_t before = session_->findings().curves().frames();
  camera_.waitForFinished();
  start_camera();
  ASSERT_TRUE(until([&] { return said("live_state") == QStringLiteral("Streaming"); }));
  ASSERT_TRUE(until([&] { return session_->findings().curves().frames() > before + 20; }));
  EXPECT_FALSE(no_signal()->isVisible());
  EXPECT_FALSE(session_->findings().gaps().empty());
  const auto told = *session_->live_counts();
  EXPECT_GE(told.received, told.watched + told.dropped + told.decode_errors);
  session_->stop_analysis();
  EXPECT_TRUE(until([&] { return said("live_state").startsWith(QStringLiteral("Stopped")); }));
  session_->close();
  EXPECT_FALSE(no_signal()->isVisible());
}

TEST_F(Live, IsClosedWhileItStreams) {
  window_->open(uri_);
  ASSERT_TRUE(until([&] { return !session_->image().isNull(); }));
  session_->close();
  EXPECT_EQ(session_->state(), State::kEmpty);
  EXPECT_FALSE(session_->live_counts().has_value());
  window_->open(QString::fromStdString(clip()));
  EXPECT_TRUE(until([&] { return session_->state() == State::kReady && !session_->image().isNull(); }));
}

}  // namespace
}  // namespace longtake
