// The player in its window, by keys and mouse.
#include <QDialogButtonBox>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <filesystem>

#include "app/studio/go_to_dialog.h"
#include "app/studio/video_view.h"
#include "core/records/read_result.h"
#include "tests/app/studio/window_fixture.h"

namespace longtake {
namespace {

class Playing : public WindowTest {
 protected:
  VideoView& video() { return part<VideoView>("video"); }
  void turn_wheel(int steps) {
    const QPointF mouse(video().rect().center());
    QWheelEvent wheel(mouse, video().mapToGlobal(mouse), {}, {0, 120 * steps}, Qt::NoButton, {}, Qt::NoScrollPhase,
                      false);
    QApplication::sendEvent(&video(), &wheel);
  }
  void type_time(const QString& text) {
    press(Qt::Key_G);
    auto* dialog = window_->findChild<GoToDialog*>();
    ASSERT_TRUE(dialog);
    auto* time = dialog->findChild<QLineEdit*>();
    QTest::keyClicks(time, text);  // over what is selected there
    QTest::keyClick(time, Qt::Key_Return);
  }

  const std::vector<std::int64_t> pts_ = clip_pts();
};

TEST_F(Playing, AsFastAsTheKeysSay) {
  ASSERT_NO_FATAL_FAILURE(open());
  press(Qt::Key_BracketRight);
  EXPECT_NEAR(session_->rate(), 1.1, 1e-9);
  press(Qt::Key_BracketLeft);
  EXPECT_NEAR(session_->rate(), 1, 1e-9);
  press(Qt::Key_BraceRight);
  EXPECT_NEAR(session_->rate(), 2, 1e-9);
  press(Qt::Key_Space);
  EXPECT_EQ(session_->speed(), 2);
  press(Qt::Key_BraceLeft);
  press(Qt::Key_BraceLeft);
  EXPECT_EQ(session_->speed(), 0.5);
  press(Qt::Key_Backspace);
  EXPECT_EQ(session_->speed(), 1);
  for (int i = 0; i < 10; ++i) press(Qt::Key_BraceRight);
  EXPECT_EQ(session_->rate(), 16);
  press(Qt::Key_Space);
  EXPECT_FALSE(session_->playing());
}

TEST_F(Playing, GoesOnWhereItWasLeft) {
  ASSERT_NO_FATAL_FAILURE(open());
  for (int i = 0; i < 7; ++i) press(Qt::Key_Period);
  ASSERT_TRUE(shown(pts_[7]));
  QTest::keySequence(window_.get(), QKeySequence(QKeySequence::Close));
  ASSERT_EQ(session_->state(), State::kEmpty);
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_TRUE(shown(pts_[7]));
  EXPECT_NEAR(session_->axis().playhead(), 7 / 25.0, 1e-9);
  press(Qt::Key_Period);
  ASSERT_TRUE(shown(pts_[8]));
  start_again();
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_TRUE(shown(pts_[8]));
  // A window that remembers nothing neither goes there nor leaves a trace.
  press(Qt::Key_Period);
  ASSERT_TRUE(shown(pts_[9]));
  start_again();
  session_->set_remembers_position(false);
  ASSERT_NO_FATAL_FAILURE(open());
  press(Qt::Key_Period);
  EXPECT_TRUE(shown(pts_[1]));
  start_again();
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_TRUE(shown(pts_[9]));
  // Of a video that was left at its start there is nothing to keep.
  press(Qt::Key_Home);
  ASSERT_TRUE(shown(pts_[0]));
  start_again();
  for (const auto& one : std::filesystem::recursive_directory_iterator(folder_.path()))
    EXPECT_NE(one.path().filename(), "position");
}

TEST_F(Playing, RepeatsTheMarkedRange) {
  ASSERT_NO_FATAL_FAILURE(open());
  session_->seek_pts(pts_[25]);
  ASSERT_TRUE(shown(pts_[25]));
  press(Qt::Key_O);
  session_->seek_pts(pts_[20]);
  ASSERT_TRUE(shown(pts_[20]));
  press(Qt::Key_I);
  press(Qt::Key_R);
  std::vector<std::int64_t> seen;
  QObject::connect(session_.get(), &SessionController::image_changed, session_.get(),
                   [&] { seen.push_back(session_->shown_pts()); });
  press(Qt::Key_Space);
  const auto turns = [&] {
    int out = 0;
    for (std::size_t i = 1; i < seen.size(); ++i) out += seen[i] < seen[i - 1];
    return out;
  };
  ASSERT_TRUE(until([&] { return turns() >= 3; }));
  for (const std::int64_t pts : seen) {
    EXPECT_GE(pts, pts_[20]);
    EXPECT_LE(pts, pts_[25]);
  }
  press(Qt::Key_R);
  EXPECT_TRUE(until([&] { return session_->shown_pts() > pts_[30]; }));
}

TEST_F(Playing, GoesToATimeInAnyForm) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(type_time(QStringLiteral("3.2")));
  EXPECT_TRUE(shown(pts_[80]));
  ASSERT_NO_FATAL_FAILURE(type_time(QStringLiteral("0:01.04")));
  EXPECT_TRUE(shown(pts_[26]));
  ASSERT_NO_FATAL_FAILURE(type_time(QStringLiteral("@%1").arg(pts_[150])));
  EXPECT_TRUE(shown(pts_[150]));
  ASSERT_NO_FATAL_FAILURE(type_time(QStringLiteral("soon")));
  QTest::qWait(1);
  auto* dialog = window_->findChild<GoToDialog*>();
  ASSERT_TRUE(dialog && dialog->isVisible());
  QTest::keyClick(dialog, Qt::Key_Escape);
  EXPECT_EQ(session_->shown_pts(), pts_[150]);
}

TEST_F(Playing, SavesTheShownFrameInFullSize) {
  ASSERT_NO_FATAL_FAILURE(open());
  session_->seek_pts(pts_[120]);
  ASSERT_TRUE(shown(pts_[120]));
  press(Qt::Key_S);
  auto* dialog = window_->findChild<QFileDialog*>();
  ASSERT_TRUE(dialog);
  EXPECT_TRUE(dialog->selectedFiles().value(0).endsWith(QStringLiteral("cut 00.04.800.png")));
  const QString file = QString::fromStdString((folder_ / "picture.png").string());
  dialog->selectFile(file);
  QString saved;
  QObject::connect(session_.get(), &SessionController::snapshot_saved, session_.get(),
                   [&](const QString& f) { saved = f; });
  QMetaObject::invokeMethod(dialog, "accept");
  ASSERT_TRUE(until([&] { return !saved.isEmpty(); }));
  EXPECT_EQ(saved, file);
  const QImage written(file);
  // The same frame, decoded here.
  SourceSpec spec;
  spec.uri = clip();
  spec.from = TimePoint{pts_[120]};
  auto source = open_source(spec, {});
  const auto item = (*source)->next({});
  RgbImage rgb;
  PictureConverter converter;
  ASSERT_TRUE(converter.to_rgb(*std::get<Frame>(*item).picture, 320, 180, rgb));
  const QImage want(rgb.pixels.data(), 320, 180, 3 * 320, QImage::Format_RGB888);
  EXPECT_EQ(written.convertToFormat(QImage::Format_RGB888), want);
}

TEST_F(Playing, ShowsNothingButTheVideoOnTheWholeScreen) {
  ASSERT_NO_FATAL_FAILURE(open());
  const auto docks = window_->findChildren<QDockWidget*>();
  const auto open_docks = [&] {
    return std::ranges::count_if(docks, [](const QDockWidget* dock) { return dock->isVisible(); });
  };
  const auto before = open_docks();
  ASSERT_GT(before, 2);
  press(Qt::Key_F);
  EXPECT_TRUE(window_->isFullScreen());
  EXPECT_EQ(open_docks(), 0);
  EXPECT_FALSE(window_->menuBar()->isVisible());
  press(Qt::Key_Period);  // keys work as ever
  EXPECT_TRUE(shown(pts_[1]));
  press(Qt::Key_Escape);
  EXPECT_FALSE(window_->isFullScreen());
  EXPECT_EQ(open_docks(), before);
  EXPECT_TRUE(window_->menuBar()->isVisible());
  QTest::mouseDClick(&video(), Qt::LeftButton);
  EXPECT_TRUE(window_->isFullScreen());
  QTest::mouseDClick(&video(), Qt::LeftButton);
  EXPECT_FALSE(window_->isFullScreen());
}

TEST_F(Playing, TheMouseStepsAndPauses) {
  ASSERT_NO_FATAL_FAILURE(open());
  session_->seek_pts(pts_[50]);
  ASSERT_TRUE(shown(pts_[50]));
  turn_wheel(1);
  EXPECT_TRUE(shown(pts_[51]));
  turn_wheel(-3);
  EXPECT_TRUE(shown(pts_[48]));
  QTest::mouseClick(&video(), Qt::RightButton);
  EXPECT_TRUE(session_->playing());
  QTest::mouseClick(&video(), Qt::RightButton);
  EXPECT_FALSE(session_->playing());
}

TEST_F(Playing, WritesOverTheVideoWhatTheResultSaysOfItsFrame) {
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_TRUE(video().overlay().isEmpty());
  ASSERT_NO_FATAL_FAILURE(analyze());
  std::vector<FrameRecord> frames;
  ASSERT_TRUE(read_result(session_->result_file().toStdString(), [&](Record&& record) {
    if (auto* frame = std::get_if<FrameRecord>(&record)) frames.push_back(std::move(*frame));
  }));
  ASSERT_EQ(frames.size(), pts_.size());
  for (const std::size_t frame : {100, 30, 199}) {
    session_->seek_pts(pts_[frame]);
    ASSERT_TRUE(shown(pts_[frame]));
    ASSERT_TRUE(until([&] { return session_->record() && session_->record()->pts == pts_[frame]; })) << frame;
    const QString lines = video().overlay().join(QLatin1Char('\n'));
    EXPECT_TRUE(
        lines.contains(QStringLiteral("Novelty %1").arg(static_cast<double>(*frames[frame].novelty), 0, 'f', 2)))
        << lines.toStdString();
    EXPECT_TRUE(lines.contains(QStringLiteral("does not grow")));
    ASSERT_TRUE(frames[frame].scene);
    EXPECT_TRUE(lines.contains(QString::fromStdString(frames[frame].scene->front().name)));
    EXPECT_EQ(lines.contains(QStringLiteral("Cut")), frame == 100) << lines.toStdString();
  }
  const QImage with = video().grab().toImage();
  press(Qt::Key_P);
  EXPECT_TRUE(video().overlay().isEmpty());
  EXPECT_NE(video().grab().toImage(), with);
}

TEST_F(Playing, ShowsWhatIsWatchedUntilAPersonLooksElsewhere) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::int64_t first = session_->shown_pts();
  press(Qt::Key_R, Qt::ControlModifier);
  ASSERT_TRUE(until([&] { return session_->shown_pts() > first; }));
  press(Qt::Key_Home);
  ASSERT_TRUE(shown(first));
  ASSERT_TRUE(until([&] { return session_->state() == State::kAnalyzed; }, 300));
  EXPECT_EQ(session_->shown_pts(), first);
  press(Qt::Key_R, Qt::ControlModifier);  // asks first, as it was analysed
  EXPECT_EQ(session_->state(), State::kAnalyzed);
  auto* question = window_->findChild<QMessageBox*>();
  ASSERT_NE(question, nullptr);
  for (QAbstractButton* one : question->buttons()) {
    if (question->buttonRole(one) == QMessageBox::AcceptRole) QTest::mouseClick(one, Qt::LeftButton);
  }
  ASSERT_TRUE(until([&] { return session_->shown_pts() > first; }));
  ASSERT_TRUE(until([&] { return session_->state() == State::kAnalyzed; }, 300));
  EXPECT_TRUE(shown(first));  // back where it was
}

}  // namespace
}  // namespace longtake
