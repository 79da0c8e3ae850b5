// The timeline and the curves in their window, by mouse and keys.
#include <QFileDialog>
#include <QFileInfo>
#include <QPointer>
#include <QTableView>

#include "app/studio/hover_preview.h"
#include "app/studio/layer_model.h"
#include "app/studio/loss_view.h"
#include "app/studio/timeline_view.h"
#include "app/studio/video_view.h"
#include "tests/app/studio/window_fixture.h"

namespace longtake {
namespace {

class Views : public WindowTest {
 protected:
  Views() {
    std::vector<Record> records;
    for (int i = 0; i < 200; ++i) {
      FrameRecord frame;
      frame.frame = i;
      frame.pts = i;
      frame.t = 0.04 * i;
      const auto loss = static_cast<float>(i + 1);
      frame.layers = {{loss, loss / 2, 0.1F}, {loss / 3, loss / 4, 0.2F}};
      records.emplace_back(std::move(frame));
    }
    session_->axis().set_whole(0, 8);
    session_->axis().show_all();
    session_->findings().take(std::move(records), {1, 25});
    window_->show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(window_.get()));
  }

  LossView& loss() { return part<LossView>("loss"); }
  QTableView& layers() { return part<QTableView>("layers"); }
  QString value(int row, int column) { return layers().model()->index(row, column).data().toString(); }
  void move_to(PlotArea& view, double t) {
    QTest::mouseMove(&view, QPointF(view.x_of(t), view.height() / 2).toPoint());
  }
};

TEST_F(Views, LeaveTheVideoMostOfASmallWindow) {
  const auto& video = part<VideoView>("video");
  EXPECT_GE(video.height(), 300);
  EXPECT_GE(loss().height(), 120);
  EXPECT_GE(video.width(), 900);
}

TEST_F(Views, ABoxHidesItsLayerByKeysAndMouse) {
  const auto pixels = [&] { return loss().grab().toImage(); };
  const QImage all = pixels();
  layers().setCurrentIndex(layers().model()->index(0, LayerModel::kLayer));
  QTest::keyClick(&layers(), Qt::Key_Space);
  EXPECT_EQ(layers().model()->index(0, LayerModel::kLayer).data(Qt::CheckStateRole).toInt(), Qt::Unchecked);
  EXPECT_FALSE(session_->playing());
  const QImage second = pixels();
  EXPECT_NE(second, all);
  const QRect row = layers().visualRect(layers().model()->index(0, LayerModel::kLayer));
  QTest::mouseClick(layers().viewport(), Qt::LeftButton, {}, QPoint(row.left() + 10, row.center().y()));
  EXPECT_EQ(pixels(), all);
}

TEST_F(Views, TheTableFollowsTheMouseAndThePlayhead) {
  session_->axis().set_playhead(0.4);
  EXPECT_EQ(value(0, LayerModel::kBefore), QStringLiteral("11.0000"));
  move_to(loss(), 4.02);
  EXPECT_EQ(value(0, LayerModel::kBefore), QStringLiteral("101.0000"));
  move_to(part<TimelineView>("timeline"), 6.02);
  EXPECT_EQ(value(0, LayerModel::kBefore), QStringLiteral("151.0000"));
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&part<TimelineView>("timeline"), &leave);
  EXPECT_EQ(value(0, LayerModel::kBefore), QStringLiteral("11.0000"));
}

TEST_F(Views, ZoomByKeysAndToTheMouseByWheel) {
  const TimeAxis& axis = session_->axis();
  session_->axis().set_playhead(2);
  press(Qt::Key_Up, Qt::ControlModifier);
  EXPECT_DOUBLE_EQ(axis.to() - axis.from(), 4);
  press(Qt::Key_Down, Qt::ControlModifier);
  EXPECT_DOUBLE_EQ(axis.to() - axis.from(), 8);
  LossView& view = loss();
  const QPointF mouse(view.x_of(6), 50);
  QWheelEvent wheel(mouse, view.mapToGlobal(mouse), {}, {0, 120}, Qt::NoButton, Qt::ControlModifier, Qt::NoScrollPhase,
                    false);
  QApplication::sendEvent(&view, &wheel);
  EXPECT_NEAR(axis.to() - axis.from(), 6.4, 1e-9);
  EXPECT_NEAR(view.t_of(mouse.x()), 6, 1e-9);
  press(Qt::Key_Z);
  EXPECT_DOUBLE_EQ(axis.from(), 0);
  EXPECT_DOUBLE_EQ(axis.to(), 8);
}

TEST_F(Views, DrawThePlayheadWithoutDrawingTheCurvesAnew) {
  session_->axis().set_playhead(2);
  const QImage before = loss().grab().toImage();
  session_->axis().set_playhead(4);
  EXPECT_NE(loss().grab().toImage(), before);
  session_->axis().set_playhead(2);
  EXPECT_EQ(loss().grab().toImage(), before);
  session_->axis().zoom(0.5, 2);
  EXPECT_NE(loss().grab().toImage(), before);
}

TEST_F(Views, MarksAreDraggedAndNeverPastEachOther) {
  auto& timeline = part<TimelineView>("timeline");
  TimeAxis& axis = session_->axis();
  axis.set_in(2);
  axis.set_out(5);
  const auto at = [&](double t) { return QPointF(timeline.x_of(t), timeline.height() / 2).toPoint(); };
  const auto drag = [&](double from, double to) {
    QTest::mousePress(&timeline, Qt::LeftButton, {}, at(from));
    QTest::mouseMove(&timeline, at(to));
    QTest::mouseRelease(&timeline, Qt::LeftButton, {}, at(to));
  };
  const double pixel = timeline.t_of(1) - timeline.t_of(0);
  drag(2, 3);
  EXPECT_NEAR(*axis.in(), 3, pixel);
  drag(5, 7);
  EXPECT_NEAR(*axis.out(), 7, pixel);
  drag(3, 7.9);
  EXPECT_EQ(axis.in(), axis.out());
}

TEST_F(Views, ThePreviewSaysWhatIsAtTheMouse) {
  auto& timeline = part<TimelineView>("timeline");
  session_->findings().take({EventRecord{"cut", 100, 100, 4, 5, 0.9, {100, 100}}}, {1, 25});
  const auto words = [&] { return part<HoverPreview>("hover preview").words(); };
  move_to(timeline, 4);
  EXPECT_TRUE(words().contains(QStringLiteral("cut, 90 % sure"))) << words().toStdString();
  EXPECT_TRUE(part<HoverPreview>("hover preview").isVisible());
  move_to(timeline, 6);
  EXPECT_TRUE(words().startsWith(QStringLiteral("00:0"))) << words().toStdString();
  EXPECT_FALSE(words().contains(QStringLiteral("cut")));
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&timeline, &leave);
  EXPECT_FALSE(part<HoverPreview>("hover preview").isVisible());
}

TEST_F(Views, SaveWhatIsDrawnAsPictureLinesOrTable) {
  for (const char* name : {"losses.png", "losses.svg", "losses.csv"}) {
    const QString file = QString::fromStdString((folder_ / name).string());
    press(Qt::Key_S, Qt::ControlModifier | Qt::ShiftModifier);
    QPointer<QFileDialog> dialog = window_->findChild<QFileDialog*>();
    ASSERT_TRUE(dialog);
    dialog->selectFile(file);
    QMetaObject::invokeMethod(dialog, "accept");
    EXPECT_TRUE(until([&] { return QFileInfo(file).size() > 500; })) << name;
    EXPECT_TRUE(until([&] { return dialog.isNull(); }));
  }
  EXPECT_EQ(QImage(QString::fromStdString((folder_ / "losses.png").string())).size(), 2 * loss().size());
}

}  // namespace
}  // namespace longtake
