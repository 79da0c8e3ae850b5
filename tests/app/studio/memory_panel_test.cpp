#include "app/studio/memory_panel.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QDockWidget>
#include <QDropEvent>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QListView>
#include <QMimeData>
#include <QProcess>
#include <QTest>
#include <QToolButton>
#include <chrono>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/main_window.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using State = SessionController::State;

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString text(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

// What the command line says: its standard output, empty if it failed.
QByteArray longtake(const QStringList& arguments) {
  QProcess program;
  program.start(QStringLiteral(LONGTAKE_PROGRAM), arguments);
  program.waitForFinished(120'000);
  return program.exitCode() == 0 ? program.readAllStandardOutput() : QByteArray();
}

// Memories by the command line, once: the first half of the clip (a test pattern), and its second half (a fractal).
struct Memories {
  Memories() {
    const QString video = QString::fromStdString(clip());
    longtake({QStringLiteral("analyze"), video, QStringLiteral("--to"), QStringLiteral("4"), QStringLiteral("-q"),
              QStringLiteral("-o"), text(folder / "1.jsonl"), QStringLiteral("--save-memory"), pattern});
    longtake({QStringLiteral("analyze"), video, QStringLiteral("--from"), QStringLiteral("4"), QStringLiteral("-q"),
              QStringLiteral("-o"), text(folder / "2.jsonl"), QStringLiteral("--save-memory"), fractal});
  }
  const TempDir folder;
  const QString pattern = text(folder / "pattern.ltm"), fractal = text(folder / "fractal.ltm");
};
const Memories& memories() {
  static const Memories out;
  return out;
}

class MemoryPanelTest : public testing::Test {
 protected:
  explicit MemoryPanelTest(const Settings& settings = {}) : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString(folder_.path().string()));
    session_ = std::make_unique<SessionController>(settings, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->resize(1280, 720);
    window_->show();
    panel_ = window_->findChild<MemoryPanel*>();
    window_->findChild<QDockWidget*>(QStringLiteral("memory"))->raise();
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
    ASSERT_TRUE(until(
        [&] {
          return session_->state() == State::kAnalyzed &&
                 session_->memories().facts(MemoryController::kLearned) != nullptr;
        },
        300));
  }
  void drop(const QString& file) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(file)});
    drop(data);
  }
  void drop(const QMimeData& data) {
    const QPoint where = panel_->rect().center();
    QDragEnterEvent enter(where, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(panel_, &enter);
    ASSERT_TRUE(enter.isAccepted());
    QDropEvent event(where, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(panel_, &event);
    ASSERT_TRUE(event.isAccepted());
  }
  void load(const QString& file) {
    drop(file);
    ASSERT_TRUE(until([&] { return at_hand() != nullptr && text(at_hand()->file) == file; }));
  }
  void press(const char* button) {
    auto* one = panel_->findChild<QToolButton*>(QLatin1String(button));
    ASSERT_TRUE(one->isVisibleTo(panel_) && one->isEnabled()) << button;
    one->setFocus();
    QTest::keyClick(one, Qt::Key_Space);
  }
  // Without the places where lines may be broken.
  QString said(const char* label) const {
    return panel_->findChild<QLabel*>(QLatin1String(label))->text().remove(QChar(0x200b));
  }
  bool visible(const char* part) const { return panel_->findChild<QWidget*>(QLatin1String(part))->isVisibleTo(panel_); }
  std::shared_ptr<const MemoryFacts> at_hand() const { return session_->memories().at_hand(); }
  AnswerModel& answers() { return session_->memories().answers(); }
  bool answered(int times) {
    return until([&] { return answers().rowCount() == times; });
  }
  void go_to_second(double t) {
    session_->seek(t);
    ASSERT_TRUE(until([&] { return std::abs(session_->axis().playhead() - t) < 0.03; }));
  }
  // Beside the last answer, which was of the memory in `memory`.
  void expect_the_same_of_the_command_line(const QString& memory, const QStringList& about) {
    const QByteArray json = longtake(QStringList{QStringLiteral("memory"), QStringLiteral("query"), memory} + about +
                                     QStringList{QStringLiteral("--json")});
    ASSERT_FALSE(json.isEmpty());
    const QJsonObject theirs = QJsonDocument::fromJson(json).object();
    const MemoryAnswer& ours = answers().answer(0).said;
    constexpr double kRounded = 0.51e-4;  // the command line gives four decimals
    EXPECT_NEAR(ours.answer.familiarity, theirs[QStringLiteral("familiarity")].toDouble(-1), kRounded);
    EXPECT_NEAR(ours.answer.confidence, theirs[QStringLiteral("confidence")].toDouble(-1), kRounded);
    EXPECT_NEAR(ours.answer.percentile, theirs[QStringLiteral("percentile")].toDouble(-1), kRounded);
    const QJsonArray nearest = theirs[QStringLiteral("nearest")].toArray();
    ASSERT_GE(ours.answer.nearest.size(), static_cast<std::size_t>(nearest.size()));
    for (int i = 0; i < nearest.size(); ++i) {
      const QJsonObject one = nearest[i].toObject();
      const NearLandmark& near = ours.answer.nearest[static_cast<std::size_t>(i)];
      const Remembered& landmark = ours.memory->landmarks.at(static_cast<std::size_t>(near.which));
      EXPECT_EQ(landmark.pts, one[QStringLiteral("pts")].toInteger()) << i;
      EXPECT_EQ(QString::fromStdString(landmark.source), one[QStringLiteral("source")].toString()) << i;
      EXPECT_NEAR(near.score, one[QStringLiteral("score")].toDouble(-1), kRounded) << i;
    }
  }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
  MemoryPanel* panel_ = nullptr;
};

TEST_F(MemoryPanelTest, SaysWhatToDoWhileThereIsNoMemory) {
  EXPECT_TRUE(visible("memory_empty"));
  EXPECT_FALSE(visible("memory_ask_frame"));
  EXPECT_TRUE(panel_->findChild<QToolButton*>(QStringLiteral("memory_load"))->isEnabled());
  EXPECT_FALSE(visible("memory_save"));
  drop(QString::fromStdString(clip()));
  EXPECT_NE(said("memory_said").indexOf(QStringLiteral("no memory")), -1);
}

TEST_F(MemoryPanelTest, AnswersAsTheCommandLineDoes) {
  const QAbstractItemModelTester rows(&answers(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  const QAbstractItemModelTester moments(&session_->memories().landmarks(),
                                         QAbstractItemModelTester::FailureReportingMode::Fatal);
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  EXPECT_FALSE(visible("memory_empty"));
  ASSERT_NO_FATAL_FAILURE(drop(QString::fromStdString(clip())));
  ASSERT_TRUE(answered(1));
  ASSERT_NO_FATAL_FAILURE(expect_the_same_of_the_command_line(
      memories().pattern, {QStringLiteral("--clip"), QString::fromStdString(clip())}));

  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(go_to_second(2));
  ASSERT_NO_FATAL_FAILURE(press("memory_ask_frame"));
  ASSERT_TRUE(answered(2));
  const auto from = QStringLiteral("@%1").arg(session_->shown_pts());
  const auto to = QStringLiteral("@%1").arg(session_->shown_pts() + 1);
  ASSERT_NO_FATAL_FAILURE(expect_the_same_of_the_command_line(
      memories().pattern, {QStringLiteral("--clip"), QString::fromStdString(clip()), QStringLiteral("--from"), from,
                           QStringLiteral("--to"), to}));
  EXPECT_TRUE(said("memory_verdict").startsWith(QStringLiteral("Seen, at about 00:0")));
  EXPECT_TRUE(said("memory_verdict").endsWith(QStringLiteral("in cut.mp4")));
  EXPECT_EQ(said("memory_about"), QStringLiteral("Frame at 00:02.000 of cut.mp4, asked of pattern.ltm"));
}

TEST_F(MemoryPanelTest, AnswersAboutPicturesAndWhatWasNotSeen) {
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  const QString picture = text(folder_ / "fractal.png");
  ASSERT_EQ(QProcess::execute(QStringLiteral("ffmpeg"),
                              {QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-ss"),
                               QStringLiteral("6"), QStringLiteral("-i"), QString::fromStdString(clip()),
                               QStringLiteral("-frames:v"), QStringLiteral("1"), picture}),
            0);
  ASSERT_NO_FATAL_FAILURE(drop(picture));
  ASSERT_TRUE(answered(1));
  EXPECT_EQ(said("memory_verdict"), QStringLiteral("Not seen"));
  ASSERT_NO_FATAL_FAILURE(
      expect_the_same_of_the_command_line(memories().pattern, {QStringLiteral("--image"), picture}));
  // The same pixels, dragged out of another program.
  QMimeData pixels;
  pixels.setImageData(QImage(picture));
  ASSERT_NO_FATAL_FAILURE(drop(pixels));
  ASSERT_TRUE(answered(2));
  EXPECT_EQ(answers().answer(0).said.answer.familiarity, answers().answer(1).said.answer.familiarity);
}

TEST_F(MemoryPanelTest, AsksAboutTheMarkedRange) {
  ASSERT_NO_FATAL_FAILURE(load(memories().fractal));
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_FALSE(panel_->findChild<QToolButton*>(QStringLiteral("memory_ask_range"))->isEnabled());
  ASSERT_NO_FATAL_FAILURE(go_to_second(3));
  QTest::keyClick(window_.get(), Qt::Key_I);
  ASSERT_NO_FATAL_FAILURE(go_to_second(5));
  QTest::keyClick(window_.get(), Qt::Key_O);
  ASSERT_NO_FATAL_FAILURE(press("memory_ask_range"));
  ASSERT_TRUE(answered(1));
  ASSERT_NO_FATAL_FAILURE(expect_the_same_of_the_command_line(
      memories().fractal, {QStringLiteral("--clip"), QString::fromStdString(clip()), QStringLiteral("--from"),
                           QStringLiteral("3"), QStringLiteral("--to"), QStringLiteral("5.001")}));
}

TEST_F(MemoryPanelTest, JumpsToWhatWasSeen) {
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(go_to_second(2));
  ASSERT_NO_FATAL_FAILURE(press("memory_ask_frame"));
  ASSERT_TRUE(answered(1));
  const MemoryAnswer& said_ = answers().answer(0).said;
  const Remembered& best = said_.memory->landmarks.at(static_cast<std::size_t>(said_.answer.nearest[0].which));
  ASSERT_NO_FATAL_FAILURE(go_to_second(6));
  auto* nearest = panel_->findChild<QListView*>(QStringLiteral("memory_nearest"));
  nearest->setFocus();
  nearest->setCurrentIndex(nearest->model()->index(0, 0));
  QTest::keyClick(nearest, Qt::Key_Return);
  EXPECT_TRUE(until([&] { return session_->shown_pts() == best.pts; }));

  auto* landmarks = panel_->findChild<QListView*>(QStringLiteral("memory_landmarks"));
  QTest::mouseClick(landmarks->viewport(), Qt::LeftButton, Qt::NoModifier,
                    landmarks->visualRect(landmarks->model()->index(1, 0)).center());
  EXPECT_TRUE(until([&] { return session_->shown_pts() == session_->memories().landmarks().landmark(1).pts; }));
}

// Another file of that name is not the video that was watched.
TEST_F(MemoryPanelTest, SaysWhichVideoAMomentIsFrom) {
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  const auto other = folder_ / "cut.mp4";
  ASSERT_EQ(
      std::system(
          ("ffmpeg -v error -f lavfi -i smptebars=s=320x180:r=25 -t 5 -pix_fmt yuv420p " + other.string()).c_str()),
      0);
  window_->open(text(other));
  ASSERT_TRUE(until([&] { return session_->state() == State::kReady && !session_->image().isNull(); }));
  auto* landmarks = panel_->findChild<QListView*>(QStringLiteral("memory_landmarks"));
  landmarks->setCurrentIndex(landmarks->model()->index(0, 0));
  EXPECT_TRUE(until([&] {
    QTest::keyClick(landmarks, Qt::Key_Return);
    return said("memory_said").contains(QStringLiteral("of cut.mp4, which is not open"));
  }));
}

// The memory that an analysis leaves is the command line's, byte for byte, and so is a copy of it.
TEST_F(MemoryPanelTest, HasWhatTheAnalysisLearned) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(analyze());
  EXPECT_EQ(session_->memories().place(), MemoryController::kLearned);
  EXPECT_EQ(at_hand()->label.videos, 1);
  EXPECT_EQ(at_hand()->frames, 200);
  EXPECT_FALSE(at_hand()->landmarks.empty());
  const QString theirs = text(folder_ / "theirs.ltm");
  longtake({QStringLiteral("analyze"), QString::fromStdString(clip()), QStringLiteral("-q"), QStringLiteral("-o"),
            text(folder_ / "theirs.jsonl"), QStringLiteral("--save-memory"), theirs});
  ASSERT_FALSE(bytes_of(theirs).isEmpty());
  EXPECT_EQ(bytes_of(text(at_hand()->file)), bytes_of(theirs));

  const QString saved = text(folder_ / "saved.ltm");
  session_->memories().save(saved);
  EXPECT_TRUE(until([&] { return said("memory_said") == QStringLiteral("Saved as %1").arg(saved); }));
  EXPECT_EQ(bytes_of(saved), bytes_of(theirs));
  EXPECT_FALSE(longtake({QStringLiteral("memory"), QStringLiteral("verify"), saved}).isEmpty());
}

TEST_F(MemoryPanelTest, StartsTheNextAnalysisFromItsMemory) {
  ASSERT_NO_FATAL_FAILURE(load(memories().fractal));
  auto* start = panel_->findChild<QCheckBox*>(QStringLiteral("memory_start"));
  EXPECT_FALSE(start->isChecked());
  start->setFocus();
  QTest::keyClick(start, Qt::Key_Space);
  EXPECT_TRUE(start->isChecked());
  EXPECT_FALSE(session_->playing());  // what the key does elsewhere
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(analyze());
  ASSERT_TRUE(until([&] { return session_->memories().place() == MemoryController::kLearned; }));
  EXPECT_EQ(at_hand()->label.videos, 2);
  const QString theirs = text(folder_ / "theirs.jsonl");
  longtake({QStringLiteral("analyze"), QString::fromStdString(clip()), QStringLiteral("-q"), QStringLiteral("-o"),
            theirs, QStringLiteral("--memory"), memories().fractal});
  ASSERT_FALSE(bytes_of(theirs).isEmpty());
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(theirs));
}

TEST_F(MemoryPanelTest, ComparesAsTheCommandLineDoes) {
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  EXPECT_FALSE(visible("memory_compared"));
  session_->memories().compare_with(memories().fractal);
  ASSERT_TRUE(until([&] { return session_->memories().comparison().has_value(); }));
  const MemoryComparison& ours = *session_->memories().comparison();
  const QJsonObject theirs =
      QJsonDocument::fromJson(longtake({QStringLiteral("memory"), QStringLiteral("compare"), memories().pattern,
                                        memories().fractal, QStringLiteral("--json")}))
          .object();
  const auto expect_same = [&](const Acquaintance& one, const char* name) {
    const QJsonObject other = theirs[QLatin1String(name)].toObject();
    EXPECT_EQ(one.landmarks, other[QStringLiteral("landmarks")].toInteger(-1)) << name;
    EXPECT_EQ(one.known, other[QStringLiteral("known")].toInteger(-1)) << name;
    EXPECT_DOUBLE_EQ(one.familiarity, other[QStringLiteral("familiarity")].toDouble(-1)) << name;
  };
  expect_same(ours.a_knows_b, "a_knows_b");
  expect_same(ours.b_knows_a, "b_knows_a");
  EXPECT_DOUBLE_EQ(ours.distance, theirs[QStringLiteral("distance")].toDouble(-1));
  EXPECT_TRUE(visible("memory_compared"));
  EXPECT_TRUE(said("memory_compared").startsWith(QStringLiteral("pattern.ltm knows ")));
  EXPECT_TRUE(said("memory_compared").contains(QStringLiteral("moments of fractal.ltm")));
}

TEST_F(MemoryPanelTest, SaysWhatWentWrongInItsPlace) {
  QByteArray damaged = bytes_of(memories().pattern);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  QFile file(text(folder_ / "damaged.ltm"));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(damaged);
  file.close();
  ASSERT_NO_FATAL_FAILURE(drop(file.fileName()));
  EXPECT_TRUE(until([&] { return said("memory_said").contains(QStringLiteral("damaged.ltm")); }));
  EXPECT_TRUE(visible("memory_said"));
  EXPECT_TRUE(visible("memory_empty"));
  ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
  EXPECT_FALSE(visible("memory_said"));
  ASSERT_NO_FATAL_FAILURE(drop(file.fileName()));
  ASSERT_TRUE(until([&] { return visible("memory_said"); }));
  EXPECT_EQ(text(at_hand()->file), memories().pattern);  // it is still there
  ASSERT_NO_FATAL_FAILURE(drop(QStringLiteral("/no/such/picture.png")));
  EXPECT_TRUE(until([&] { return said("memory_said").contains(QStringLiteral("/no/such/picture.png")); }));
  session_->memories().save(QStringLiteral("/no/such/folder/memory.ltm"));
  EXPECT_TRUE(until([&] { return said("memory_said").contains(QStringLiteral("/no/such/folder/memory.ltm")); }));
  EXPECT_EQ(answers().rowCount(), 0);
}

TEST_F(MemoryPanelTest, TakesAMemoryDroppedAnywhereOnTheWindow) {
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(memories().pattern)});
  const QPoint where = window_->rect().center();
  QDragEnterEvent enter(where, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &enter);
  ASSERT_TRUE(enter.isAccepted());
  QDropEvent event(where, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(window_.get(), &event);
  EXPECT_TRUE(until([&] { return at_hand() != nullptr; }));
  EXPECT_EQ(session_->state(), State::kEmpty);
}

Settings with_memory() {
  Settings out;
  out.memory = memories().fractal.toStdString();
  return out;
}
class GivenMemory : public MemoryPanelTest {
 protected:
  GivenMemory() : MemoryPanelTest(with_memory()) {}
};

TEST_F(GivenMemory, IsAtHandAndStartsTheFirstAnalysis) {
  EXPECT_EQ(session_->memories().start(), with_memory().memory);  // also before it is loaded
  EXPECT_TRUE(until([&] { return at_hand() != nullptr; }));
  EXPECT_TRUE(panel_->findChild<QCheckBox*>(QStringLiteral("memory_start"))->isChecked());
  EXPECT_EQ(session_->memories().start(), with_memory().memory);
}

class LongQuestion : public MemoryPanelTest {
 protected:
  // Long enough to be asked about for many seconds.
  void ask() {
    ASSERT_NO_FATAL_FAILURE(load(memories().pattern));
    const std::string many = (folder_ / "many.mkv").string();
    ASSERT_EQ(std::system(("ffmpeg -v error -stream_loop 200 -i " + clip() + " -c copy " + many).c_str()), 0);
    ASSERT_NO_FATAL_FAILURE(drop(QString::fromStdString(many)));
    ASSERT_TRUE(visible("memory_waiting"));
    QTest::qWait(300);
    ASSERT_EQ(session_->memories().questions(), 1);
  }
};

TEST_F(LongQuestion, IsCancelled) {
  ASSERT_NO_FATAL_FAILURE(ask());
  ASSERT_NO_FATAL_FAILURE(press("memory_cancel"));
  EXPECT_TRUE(until([&] { return session_->memories().questions() == 0; }, 10));
  EXPECT_FALSE(visible("memory_waiting"));
  EXPECT_EQ(answers().rowCount(), 0);
  EXPECT_FALSE(visible("memory_said"));  // nothing went wrong
  ASSERT_NO_FATAL_FAILURE(drop(QString::fromStdString(clip())));
  EXPECT_TRUE(answered(1));
}

TEST_F(LongQuestion, DoesNotKeepTheWindowOpen) {
  ASSERT_NO_FATAL_FAILURE(ask());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(window_->close());
  window_.reset();
  session_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(AnswerModel, KeepsTheLastAnswersAndSaysThemInWords) {
  AnswerModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  MemoryFacts memory;
  memory.file = "city.ltm";
  memory.calibrated = true;
  memory.landmarks.emplace_back();
  memory.landmarks.back().t = 6.2;
  memory.landmarks.back().source = "city.mp4";
  MemoryAnswer said{std::make_shared<MemoryFacts>(memory), {}};
  said.answer = {.familiarity = 0.875,
                 .confidence = 0.875,
                 .percentile = 99,
                 .seconds = 4,
                 .seen_seconds = 3,
                 .nearest = {{0, 0.9}}};
  for (int i = 0; i < AnswerModel::kMost + 5; ++i) model.add({QString::number(i), said});
  EXPECT_EQ(model.rowCount(), AnswerModel::kMost);
  EXPECT_EQ(model.data(model.index(0)).toString(), QStringLiteral("104: Seen, at about 00:06 in city.mp4 (0.88)"));
  EXPECT_EQ(AnswerModel::certainty(said), QStringLiteral("88 % sure. More familiar than 99 % of other videos."));
  said.answer.familiarity = 0.2;
  said.answer.seen_from = 1;
  said.answer.seen_to = 3.9;
  EXPECT_EQ(
      AnswerModel::verdict(said),
      QStringLiteral("Not seen, but for 3 of 4 seconds, between 00:01 and 00:03 of it: at about 00:06 in city.mp4"));
  said.answer.seen_seconds = 0;
  EXPECT_EQ(AnswerModel::verdict(said), QStringLiteral("Not seen"));
}

}  // namespace
}  // namespace longtake
