// What people do to events and segments in the window, and what is left of it after a stop, a new start and a kill.
#include <signal.h>

#include <QAbstractItemModelTester>
#include <QFile>
#include <QLineEdit>
#include <QProcess>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/main_window.h"
#include "app/studio/session_controller.h"
#include "app/studio/session_folder.h"
#include "app/studio/surprise_view.h"
#include "core/records/read_result.h"
#include "tests/app/studio/clip.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using State = SessionController::State;

constexpr const char* kKilledFolder = "LONGTAKE_TEST_KILLED_FOLDER";

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// What the command line makes of the clip; made once.
const QString& undisturbed_result() {
  static const TempDir folder;
  static const QString file = [] {
    const QString out = QString::fromStdString((folder.path() / "result.jsonl").string());
    const QStringList words{QStringLiteral("analyze"), QString::fromStdString(clip()), QStringLiteral("-q"),
                            QStringLiteral("-o"), out};
    if (QProcess::execute(QStringLiteral(LONGTAKE_PROGRAM), words) != 0)
      throw std::runtime_error("the clip was not analysed");
    return out;
  }();
  return file;
}

// One window on one session, closed and opened as often as wanted.
class Editing : public testing::Test {
 protected:
  Editing() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString((folder_.path() / "state").string()));
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString((folder_.path() / "config").string()));
  }
  ~Editing() override { quit(); }

  void start() {
    Settings settings;
    settings.checkpoint_every_s = 0.5;
    session_ = std::make_unique<SessionController>(settings, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->resize(1280, 720);
    window_->show();
    window_->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(window_.get()));
  }
  void quit() {
    window_.reset();
    session_.reset();
  }
  void open(const QString& uri = QString::fromStdString(clip())) {
    window_->open(uri);
    ASSERT_TRUE(until([&] { return session_->state() >= State::kReady && !session_->image().isNull(); }));
  }
  // The window as it is when the clip was analysed some other day.
  void open_analyzed() {
    const fs::path session = session_folder(QString::fromStdString(clip())).toStdString();
    fs::create_directories(session);
    fs::copy_file(undisturbed_result().toStdString(), session / "result.jsonl");
    ASSERT_NO_FATAL_FAILURE(start());
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_EQ(session_->state(), State::kAnalyzed);
    ASSERT_FALSE(events().events().empty());
  }
  void analyze() {
    press(Qt::Key_R, Qt::ControlModifier);
    ASSERT_TRUE(until([&] { return session_->state() == State::kAnalyzed; }, 300));
  }
  void go_to(std::int64_t pts) {
    session_->seek_pts(pts);
    ASSERT_TRUE(until([&] { return session_->shown_pts() == pts; }));
  }

  template <class Wanted>
  bool until(Wanted wanted, int seconds = 60) {
    return QTest::qWaitFor(wanted, 1000 * seconds);
  }
  void press(Qt::Key key, Qt::KeyboardModifiers with = Qt::NoModifier) { QTest::keyClick(window_.get(), key, with); }
  EventModel& events() { return session_->findings().events(); }
  SegmentModel& segments() { return session_->findings().segment_rows(); }
  QTableView* table(const char* name) { return window_->findChild<QTableView*>(QString::fromLatin1(name)); }
  // The list has the focus and this row is the current one.
  QTableView* choose(const char* name, int row) {
    QTableView* out = table(name);
    const QPoint at = out->visualRect(out->model()->index(row, 0)).center();
    QTest::mouseClick(out->viewport(), Qt::LeftButton, {}, at);
    return out;
  }
  void type_name(QTableView* in, const QString& name) {
    QTest::keyClick(in, Qt::Key_F2);
    auto* editor = in->findChild<QLineEdit*>();
    ASSERT_NE(editor, nullptr);
    QTest::keyClick(editor, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(editor, name);
    QTest::keyClick(editor, Qt::Key_Return);
    ASSERT_TRUE(until([&] { return in->findChild<QLineEdit*>() == nullptr; }));  // taken a moment later
  }
  std::string state() { return to_json(session_->project().edits(), "any"); }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Editing, KeysChangeTheListAndUndoBringsItBack) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  const QAbstractItemModelTester event_rows(&events(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  const QAbstractItemModelTester seen_rows(table("events")->model(),
                                           QAbstractItemModelTester::FailureReportingMode::Fatal);
  std::vector<std::string> states{state()};
  const int found = events().rowCount();
  const auto pts = clip_pts();

  ASSERT_NO_FATAL_FAILURE(go_to(pts[20]));
  press(Qt::Key_M);
  ASSERT_EQ(events().rowCount(), found + 1);
  EXPECT_EQ(events().events()[0].kind, "mark");
  EXPECT_EQ(events().events()[0].frame, 20);
  EXPECT_EQ(events().events()[0].pts, pts[20]);
  states.push_back(state());

  ASSERT_NO_FATAL_FAILURE(type_name(choose("events", 0), QStringLiteral("goal")));
  EXPECT_EQ(events().rows()[0].event.name, "goal");
  states.push_back(state());

  QTableView* list = choose("events", 1);
  const std::int64_t chosen = events().events()[1].pts;
  EXPECT_TRUE(until([&] { return session_->shown_pts() == chosen; }));
  QTest::keyClick(list, Qt::Key_N);
  EXPECT_EQ(events().rowCount(), found);
  EXPECT_EQ(session_->project().edits().events.begin()->second.fate, EventEdit::Fate::kNotAnEvent);
  states.push_back(state());

  QTest::keyClick(list, Qt::Key_Delete);  // what was next is selected
  EXPECT_EQ(events().rowCount(), found - 1);
  states.push_back(state());

  for (std::size_t i = states.size() - 1; i-- > 0;) {
    press(Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(state(), states[i]);
  }
  EXPECT_EQ(events().rowCount(), found);
  for (std::size_t i = 1; i < states.size(); ++i) {
    press(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    EXPECT_EQ(state(), states[i]);
  }
}

TEST_F(Editing, MergesWhatIsSelectedAndSplitsAtThePlayhead) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  const auto pts = clip_pts();
  const int found = events().rowCount();
  for (const std::size_t frame : {20U, 30U, 40U}) {
    ASSERT_NO_FATAL_FAILURE(go_to(pts[frame]));
    press(Qt::Key_M);
  }
  QTableView* list = choose("events", 0);
  QTest::keyClick(list, Qt::Key_Down, Qt::ShiftModifier);
  QTest::keyClick(list, Qt::Key_Down, Qt::ShiftModifier);
  QTest::keyClick(list, Qt::Key_M, Qt::ControlModifier);
  ASSERT_EQ(events().rowCount(), found + 1);
  EXPECT_EQ(events().events()[0].span, (std::array<std::int64_t, 2>{20, 40}));
  choose("events", 0);
  ASSERT_NO_FATAL_FAILURE(go_to(pts[35]));
  QTest::keyClick(list, Qt::Key_B);
  ASSERT_EQ(events().rowCount(), found + 2);
  EXPECT_EQ(events().events()[0].span, (std::array<std::int64_t, 2>{20, 34}));
  EXPECT_EQ(events().events()[1].span, (std::array<std::int64_t, 2>{35, 40}));
}

// What is worked on is what is seen, also when other rows come before it.
TEST_F(Editing, ChoosesTheEventThatIsGoneToAndKeepsIt) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  const auto pts = clip_pts();
  for (const int frame : {20, 60, 150}) {
    ASSERT_NO_FATAL_FAILURE(go_to(pts[static_cast<std::size_t>(frame)]));
    press(Qt::Key_M);
  }
  press(Qt::Key_Home);
  ASSERT_TRUE(until([&] { return session_->shown_pts() == pts[0]; }));
  press(Qt::Key_Down);
  ASSERT_TRUE(until([&] { return session_->shown_pts() == pts[20]; }));
  press(Qt::Key_Down);
  ASSERT_TRUE(until([&] { return session_->shown_pts() == pts[60]; }));
  const auto chosen = [&] {
    auto* list = window_->findChild<QTableView*>(QStringLiteral("events"));
    const auto rows = list->selectionModel()->selectedRows();
    return rows.size() == 1 ? rows.front().siblingAtColumn(EventModel::kTime).data().toString() : QString();
  };
  const QString sixty = clock_text(60 / 25.0);
  EXPECT_EQ(chosen(), sixty);
  ASSERT_NO_FATAL_FAILURE(go_to(pts[5]));
  press(Qt::Key_M);  // a row above it
  ASSERT_NO_FATAL_FAILURE(go_to(pts[60]));
  EXPECT_EQ(chosen(), sixty);
  const int listed = events().rowCount();
  press(Qt::Key_Delete);
  EXPECT_EQ(events().rowCount(), listed - 1);
  for (int row = 0; row < events().rowCount(); ++row)
    EXPECT_NE(events().rows()[static_cast<std::size_t>(row)].event.pts, pts[60]);
}

TEST_F(Editing, NamesSplitsAndMergesSegments) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  const QAbstractItemModelTester rows(&segments(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  const auto pts = clip_pts();
  const int found = segments().rowCount();
  ASSERT_GE(found, 2);
  window_->findChild<QTabWidget*>(QStringLiteral("event_tabs"))->setCurrentIndex(1);
  ASSERT_NO_FATAL_FAILURE(go_to(pts[30]));
  press(Qt::Key_B);
  ASSERT_EQ(segments().rowCount(), found + 1);
  EXPECT_EQ(segments().rows()[1].segment.first, 30);
  EXPECT_EQ(segments().rows()[0].segment.last, 29);
  ASSERT_NO_FATAL_FAILURE(type_name(choose("segments", 1), QStringLiteral("second half")));
  EXPECT_EQ(segment_title(segments().rows()[1].segment), QStringLiteral("second half"));
  choose("segments", 0);
  press(Qt::Key_M, Qt::ControlModifier);
  ASSERT_EQ(segments().rowCount(), found);
  EXPECT_EQ(segment_title(segments().rows()[0].segment), QStringLiteral("second half"));
}

TEST_F(Editing, DragsTheLevelOfSurpriseAndDecidesAnew) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  auto* view = window_->findChild<SurpriseView*>();
  qobject_cast<QWidget*>(view->parent())->raise();
  QTest::qWait(50);
  const std::string before = state();
  const int x = view->width() / 2;
  const auto at = [&](double surprise) { return QPoint(x, qRound(view->y_of(surprise))); };
  QTest::mousePress(view, Qt::LeftButton, {}, at(1e9));  // the top, where the line is while there is no level
  for (const double level : {9.0, 6.0, 3.0}) QTest::mouseMove(view, at(level));
  QTest::mouseRelease(view, Qt::LeftButton, {}, at(3));
  const auto level = session_->project().edits().choices.thresholds.surprise;
  ASSERT_TRUE(level);
  EXPECT_NEAR(*level, 3, 0.3);
  const auto expected = session_->findings().levels().events_at(*level);
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(session_->findings().crossings().size(), expected.size());
  press(Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(state(), before);
}

TEST_F(Editing, ShowsAnEarlierResultAtOnceWithTheEditsAndExportsThem) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  EXPECT_EQ(session_->result_to_export().file, session_->result_file());
  EXPECT_FALSE(session_->result_to_export().write);
  const auto pts = clip_pts();
  ASSERT_NO_FATAL_FAILURE(go_to(pts[20]));
  press(Qt::Key_M);
  ASSERT_NO_FATAL_FAILURE(type_name(choose("events", 0), QStringLiteral("goal")));
  session_->project().split_segment(segments().rows()[0].segment, session_->here());
  const int listed = events().rowCount(), parts = segments().rowCount();
  quit();
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(session_->state(), State::kAnalyzed);
  EXPECT_TRUE(window_->findChild<Thumbnails*>()->is_open());
  EXPECT_EQ(session_->findings().curves().frames(), 200);
  ASSERT_EQ(events().rowCount(), listed);
  EXPECT_EQ(events().rows()[0].event.name, "goal");
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(undisturbed_result()));

  const auto [edited, write] = session_->result_to_export();
  ASSERT_TRUE(write);
  std::stop_source at_once;
  at_once.request_stop();
  const auto stopped = write(at_once.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kStopped);
  EXPECT_FALSE(QFile::exists(edited));
  ASSERT_TRUE(write({}));
  EXPECT_NE(edited, session_->result_file());
  std::vector<std::string> frames, frames_before;
  std::vector<EventRecord> edited_events;
  std::vector<SegmentRecord> edited_segments;
  std::map<std::int64_t, float> surprises;
  std::int64_t told = -1;
  OptionList options;
  const auto whole = read_result(edited.toStdString(), [&](Record&& record) {
    if (auto* event = std::get_if<EventRecord>(&record)) edited_events.push_back(std::move(*event));
    if (auto* segment = std::get_if<SegmentRecord>(&record)) edited_segments.push_back(std::move(*segment));
    if (auto* end = std::get_if<EndRecord>(&record)) told = end->events;
    if (auto* header = std::get_if<HeaderRecord>(&record)) options = header->options;
    if (auto* frame = std::get_if<FrameRecord>(&record)) {
      surprises[frame->frame] = frame->surprise.value_or(0);
      append_json_line(*frame, frames.emplace_back());
    }
  });
  ASSERT_TRUE(whole && *whole);
  ASSERT_TRUE(read_result(undisturbed_result().toStdString(), [&](Record&& record) {
                if (auto* frame = std::get_if<FrameRecord>(&record))
                  append_json_line(*frame, frames_before.emplace_back());
              }).ok());
  EXPECT_EQ(frames, frames_before);
  EXPECT_EQ(told, listed);
  EXPECT_EQ(options, (OptionList{{"edited", true}}));
  ASSERT_EQ(edited_events.size(), static_cast<std::size_t>(listed));
  EXPECT_EQ(edited_events[0].kind, "goal");
  EXPECT_EQ(edited_events[0].frame, 20);
  ASSERT_EQ(edited_segments.size(), static_cast<std::size_t>(parts));
  EXPECT_EQ(edited_segments[0].last, 19);
  EXPECT_EQ(edited_segments[0].pts[1], pts[19]);
  EXPECT_EQ(edited_segments[1].first, 20);
  EXPECT_EQ(edited_segments[1].pts[0], pts[20]);
  double most = 0;
  for (std::int64_t i = 0; i < 20; ++i) most = std::max(most, double(surprises[i]));
  ASSERT_TRUE(edited_segments[0].surprise);
  EXPECT_DOUBLE_EQ(edited_segments[0].surprise->max, most);
}

TEST_F(Editing, SaysThatAResultIsOfOtherSettingsAndAnalysesAnew) {
  const fs::path session = session_folder(QString::fromStdString(clip())).toStdString();
  fs::create_directories(session);
  QByteArray other = bytes_of(undisturbed_result());
  const auto model = other.indexOf("\"model\":\"") + 9;
  other.replace(model, 12, "000000000000");
  QFile file(QString::fromStdString((session / "result.jsonl").string()));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(other);
  file.close();
  ASSERT_NO_FATAL_FAILURE(start());
  QString said;
  QObject::connect(session_.get(), &SessionController::noticed, session_.get(),
                   [&](const QString& text) { said = text; });
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(session_->state(), State::kReady);
  EXPECT_TRUE(said.contains(QStringLiteral("another model"))) << said.toStdString();
  EXPECT_FALSE(events().events().empty());
  ASSERT_NO_FATAL_FAILURE(analyze());
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(undisturbed_result()));
}

TEST_F(Editing, LeavesAUsableProjectWhenItIsStoppedInTheMiddle) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(open());
  press(Qt::Key_R, Qt::ControlModifier);
  ASSERT_TRUE(until([&] { return session_->findings().curves().frames() > 20; }));
  press(Qt::Key_M);
  press(Qt::Key_Period, Qt::ControlModifier);
  ASSERT_TRUE(until([&] { return session_->state() != State::kAnalyzing; }));
  const std::string before = state();
  const std::int64_t frames = session_->findings().curves().frames();
  quit();
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(state(), before);
  EXPECT_EQ(session_->findings().curves().frames(), frames);
  ASSERT_FALSE(events().events().empty());
  EXPECT_EQ(events().events()[0].kind, "mark");
  ASSERT_NO_FATAL_FAILURE(analyze());
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(undisturbed_result()));
  EXPECT_EQ(state(), before);
}

TEST_F(Editing, LearnsNamesFromMarkedStretchesAndNamesTheRest) {
  ASSERT_NO_FATAL_FAILURE(open_analyzed());
  const auto pts = clip_pts();
  auto* name = window_->findChild<QLineEdit*>(QStringLiteral("label_name"));
  const auto mark = [&](std::size_t first, std::size_t last) {
    ASSERT_NO_FATAL_FAILURE(go_to(pts[first]));
    press(Qt::Key_I);
    ASSERT_NO_FATAL_FAILURE(go_to(pts[last]));
    press(Qt::Key_O);
  };
  const auto call_it = [&](const QString& text) {
    press(Qt::Key_Return);
    ASSERT_TRUE(until([&] { return name->hasFocus(); }));
    QTest::keyClicks(name, text);
    QTest::keyClick(name, Qt::Key_Return);
  };
  ASSERT_NO_FATAL_FAILURE(mark(10, 30));
  ASSERT_NO_FATAL_FAILURE(call_it(QStringLiteral("bars")));
  ASSERT_NO_FATAL_FAILURE(mark(110, 130));
  ASSERT_NO_FATAL_FAILURE(call_it(QStringLiteral("fractal")));
  ASSERT_NO_FATAL_FAILURE(mark(60, 80));
  window_->findChild<QTableView*>(QStringLiteral("events"))->setFocus();
  press(Qt::Key_1);  // what "bars" was given
  const auto& labels = session_->project().edits().choices.labels;
  ASSERT_EQ(labels.size(), 3U);
  EXPECT_EQ(labels[2].name, "bars");
  ASSERT_TRUE(until([&] { return session_->labelled().examples == 3 && session_->labelled().complete; }, 120))
      << session_->labelled().problem;
  EXPECT_LT(session_->labelled().learned_s, 1);
  const auto named = [&](std::int64_t frame) {
    const int row = segments().row_at(pts[static_cast<std::size_t>(frame)]);
    return row < 0 ? QString() : segment_title(segments().rows()[static_cast<std::size_t>(row)].segment);
  };
  EXPECT_EQ(named(40), QStringLiteral("bars"));
  EXPECT_NE(named(180), QStringLiteral("bars"));
  // What was named by hand is taken home as it was marked.
  const auto [edited, write] = session_->result_to_export();
  ASSERT_TRUE(write);
  ASSERT_TRUE(write({}));
  std::vector<SegmentRecord> taken;
  ASSERT_TRUE(read_result(edited.toStdString(), [&](Record&& record) {
                if (auto* segment = std::get_if<SegmentRecord>(&record)) taken.push_back(std::move(*segment));
              }).ok());
  const auto example = std::ranges::find(taken, 10, &SegmentRecord::first);
  ASSERT_NE(example, taken.end());
  EXPECT_EQ(example->last, 30);
  EXPECT_EQ(example->pts, (std::array{pts[10], pts[30]}));
  ASSERT_TRUE(example->labels);
  EXPECT_EQ(example->labels->front().name, "bars");
  press(Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(labels.size(), 2U);
}

// Run by the test below, in a process of its own: analyses, edits, says so, and goes on until it is killed.
TEST_F(Editing, DISABLED_UntilItIsKilled) {
  qputenv("XDG_STATE_HOME", qgetenv(kKilledFolder));
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(open(qEnvironmentVariable("LONGTAKE_TEST_CLIP")));
  press(Qt::Key_M);
  press(Qt::Key_R, Qt::ControlModifier);
  const fs::path session = fs::path(session_->result_file().toStdString()).parent_path();
  ASSERT_TRUE(until(
      [&] { return session_->findings().curves().frames() > 40 && fs::exists(session / "result.jsonl.checkpoint"); }));
  ASSERT_EQ(session_->state(), State::kAnalyzing);
  press(Qt::Key_M, Qt::NoModifier);
  session_->project().rename({events().rows()[0]}, QStringLiteral("seen before the end"));
  QTest::qWait(1000);  // as long as a person may lose
  QFile told(QString::fromLocal8Bit(qgetenv(kKilledFolder)) + QStringLiteral("/edited"));
  ASSERT_TRUE(told.open(QIODevice::WriteOnly));
  told.close();
  QTest::qWait(600'000);
}

TEST_F(Editing, SurvivesBeingKilledInTheMiddle) {
  const fs::path state_folder = folder_.path() / "state";
  fs::create_directories(state_folder);
  QProcess process;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QString::fromLatin1(kKilledFolder), QString::fromStdString(state_folder.string()));
  environment.insert(QStringLiteral("LONGTAKE_TEST_CLIP"), QString::fromStdString(clip()));
  process.setProcessEnvironment(environment);
  process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
  process.start(QCoreApplication::applicationFilePath(),
                {QStringLiteral("--gtest_also_run_disabled_tests"),
                 QStringLiteral("--gtest_filter=Editing.DISABLED_UntilItIsKilled")});
  ASSERT_TRUE(
      until([&] { return fs::exists(state_folder / "edited") || process.state() == QProcess::NotRunning; }, 120));
  ASSERT_EQ(process.state(), QProcess::Running);
  ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
  process.waitForFinished();

  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_FALSE(events().events().empty());
  EXPECT_EQ(events().rows()[0].event.name, "seen before the end");
  if (session_->state() == State::kReady) {
    ASSERT_NO_FATAL_FAILURE(analyze());
  }
  EXPECT_EQ(bytes_of(session_->result_file()), bytes_of(undisturbed_result()));
  EXPECT_EQ(session_->findings().curves().frames(), 200);
}

}  // namespace
}  // namespace longtake
