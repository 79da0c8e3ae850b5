// A window on a real video, driven as people drive it.
#pragma once

#include <QTest>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/main_window.h"
#include "app/studio/session_controller.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {

class WindowTest : public testing::Test {
 protected:
  using State = SessionController::State;

  WindowTest() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString(folder_.path().string()));
    start();
  }
  ~WindowTest() override { end(); }

  void start() {
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->resize(1280, 720);
    window_->show();
  }
  void end() {
    window_.reset();
    session_.reset();
  }
  void start_again() {
    end();
    start();
  }

  template <class Wanted>
  bool until(Wanted wanted, int seconds = 60) {
    return QTest::qWaitFor(wanted, 1000 * seconds);
  }
  void open(const std::string& video = clip()) {
    window_->open(QString::fromStdString(video));
    ASSERT_TRUE(until([&] { return session_->state() == State::kReady && !session_->image().isNull(); }));
  }
  void analyze() {
    press(Qt::Key_R, Qt::ControlModifier);
    ASSERT_TRUE(until([&] { return session_->state() == State::kAnalyzed; }, 300));
  }
  void press(Qt::Key key, Qt::KeyboardModifiers with = {}) {
    window_->activateWindow();  // a dialog may have been the active one
    EXPECT_TRUE(QTest::qWaitForWindowActive(window_.get()));
    QTest::keyClick(window_.get(), key, with);
  }
  // The part of the window that has this name.
  template <class Part>
  Part& part(const char* name) {
    return *window_->findChild<Part*>(QLatin1String(name));
  }
  bool shown(std::int64_t pts) {
    return until([&] { return session_->shown_pts() == pts; });
  }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace longtake
