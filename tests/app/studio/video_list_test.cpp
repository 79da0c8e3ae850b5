#include "app/studio/video_list.h"

#include <QAbstractItemModelTester>
#include <QFile>
#include <QProcess>
#include <QPushButton>
#include <QTableView>
#include <QTest>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/main_window.h"
#include "app/studio/session_controller.h"
#include "app/studio/session_folder.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using State = SessionController::State;

class VideoListTest : public testing::Test {
 protected:
  VideoListTest() {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString((folder_ / "state").string()));
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString((folder_ / "config").string()));
    fs::create_directories(videos_ / "below");
    fs::copy_file(clip(), videos_ / "one.mp4");
    // Other contents, so another session: what follows the last box is nobody's.
    fs::copy_file(clip(), videos_ / "below" / "two.mp4");
    std::ofstream(videos_ / "below" / "two.mp4", std::ios::app | std::ios::binary) << std::string("\0\0\0\010free", 8);
    std::ofstream(videos_ / "broken.mp4") << "nothing";
    session_ = std::make_unique<SessionController>(Settings{}, *make_log(-1, {}), signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->show();
  }

  template <class Wanted>
  bool until(Wanted wanted, int seconds = 120) {
    return QTest::qWaitFor(wanted, 1000 * seconds);
  }
  VideoList& list() { return session_->videos(); }
  void add_folder() {
    window_->open_all({QString::fromStdString(videos_.string())});
    ASSERT_TRUE(until([&] { return list().rowCount() == 3 && !list().busy(); }));
  }
  void click(const QString& text) {
    for (QPushButton* button : window_->findChildren<QPushButton*>()) {
      if (button->text() == text) return QTest::mouseClick(button, Qt::LeftButton);
    }
    FAIL() << "no button " << text.toStdString();
  }
  QString state_of(int row) { return list().data(list().index(row, VideoList::kState)).toString(); }

  const TempDir folder_;
  const fs::path videos_ = folder_ / "videos";
  const StopSignals signals_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(VideoListTest, WatchesAFolderAsBatchDoes) {
  const QAbstractItemModelTester tester(&list(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  ASSERT_NO_FATAL_FAILURE(add_folder());
  EXPECT_EQ(state_of(0), QStringLiteral("not analysed"));
  click(QStringLiteral("&Analyse all"));
  EXPECT_TRUE(list().watching());
  ASSERT_TRUE(until([&] { return !list().busy(); }));
  EXPECT_EQ(state_of(0), QStringLiteral("analysed"));  // below/two.mp4
  EXPECT_EQ(state_of(1), QStringLiteral("failed"));
  EXPECT_EQ(state_of(2), QStringLiteral("analysed"));
  EXPECT_EQ(list().entry(2).frames, 200);
  EXPECT_TRUE(list().data(list().index(1, 0), Qt::ToolTipRole).toString().contains(QStringLiteral("broken.mp4")));

  const QString other = QString::fromStdString((folder_ / "batch").string());
  QProcess::execute(QStringLiteral(LONGTAKE_PROGRAM),
                    {QStringLiteral("batch"), QString::fromStdString(videos_.string()), QStringLiteral("-o"), other,
                     QStringLiteral("-q"), QStringLiteral("--name"), QStringLiteral("{key}/result.jsonl"),
                     QStringLiteral("--memories")});
  for (const int row : {0, 2}) {
    for (const char* type : {"jsonl", "ltm"}) {
      const fs::path result = fs::path(list().entry(row).result).replace_extension(type);
      QFile ours(sessions_folder() + QLatin1Char('/') + QString::fromStdString(result.string()));
      QFile theirs(other + QLatin1Char('/') + QString::fromStdString(result.string()));
      ASSERT_TRUE(ours.open(QIODevice::ReadOnly) && theirs.open(QIODevice::ReadOnly)) << result;
      EXPECT_EQ(ours.readAll(), theirs.readAll()) << result;
    }
  }
}

TEST_F(VideoListTest, PausesGoesOnAndRetriesWhatWasMended) {
  ASSERT_NO_FATAL_FAILURE(add_folder());
  click(QStringLiteral("&Analyse all"));
  ASSERT_TRUE(until([&] { return list().count(VideoState::kRunning) == 1; }));
  click(QStringLiteral("&Pause"));
  ASSERT_TRUE(until([&] { return !list().busy(); }));
  EXPECT_EQ(list().count(VideoState::kDone), 0);
  EXPECT_EQ(state_of(0), QStringLiteral("begun"));
  click(QStringLiteral("&Analyse all"));
  ASSERT_TRUE(until([&] { return !list().busy(); }));
  EXPECT_EQ(list().count(VideoState::kDone), 2);
  EXPECT_EQ(list().entry(0).frames, 200);
  EXPECT_EQ(list().entry(0).attempts, 2);
  EXPECT_EQ(list().entry(2).attempts, 1);

  fs::copy_file(videos_ / "one.mp4", videos_ / "broken.mp4", fs::copy_options::overwrite_existing);
  click(QStringLiteral("&Retry failed"));
  ASSERT_TRUE(until([&] { return !list().busy(); }));
  EXPECT_EQ(list().count(VideoState::kDone), 3);
}

TEST_F(VideoListTest, IsKnownAgainAndOpensByEnter) {
  ASSERT_NO_FATAL_FAILURE(add_folder());
  click(QStringLiteral("&Analyse all"));
  ASSERT_TRUE(until([&] { return !list().busy(); }));
  window_.reset();
  session_ = std::make_unique<SessionController>(Settings{}, *make_log(-1, {}), signals_);
  window_ = std::make_unique<MainWindow>(*session_);
  window_->show();
  ASSERT_NO_FATAL_FAILURE(add_folder());
  EXPECT_EQ(state_of(2), QStringLiteral("analysed"));
  auto* table = window_->findChild<QTableView*>(QStringLiteral("videos"));
  table->setFocus();
  table->selectRow(2);
  QTest::keyClick(table, Qt::Key_Return);
  ASSERT_TRUE(until([&] { return session_->state() >= State::kReady; }));
  EXPECT_EQ(session_->uri(), QString::fromStdString((videos_ / "one.mp4").string()));
  table->setFocus();
  QTest::keyClick(table, Qt::Key_Delete);
  EXPECT_EQ(list().rowCount(), 2);
  EXPECT_TRUE(fs::exists(videos_ / "one.mp4"));
}

TEST_F(VideoListTest, OneAnalysisAtATime) {
  ASSERT_NO_FATAL_FAILURE(add_folder());
  window_->open(QString::fromStdString((videos_ / "one.mp4").string()));
  ASSERT_TRUE(until([&] { return session_->state() == State::kReady; }));
  QString said;
  QObject::connect(session_.get(), &SessionController::failed, session_.get(),
                   [&](const Error& error) { said = QString::fromStdString(error.message); });
  click(QStringLiteral("&Analyse all"));
  session_->analyze();
  EXPECT_TRUE(said.contains(QStringLiteral("pause it first")));
  EXPECT_EQ(session_->state(), State::kReady);
}

}  // namespace
}  // namespace longtake
