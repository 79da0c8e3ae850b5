#include "app/studio/project.h"

#include <QSignalSpy>
#include <QTest>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

constexpr const char* kVideo = "0123456789ab";

EventRecord event(const std::string& kind, std::int64_t frame, double confidence = 0.9) {
  return {kind, frame, 3600 * frame, 0.04 * static_cast<double>(frame), 5, confidence, {frame - 1, frame + 3}};
}

ListedEvent listed(const EventRecord& one) { return {{one.kind, one.pts}, NamedEvent{one}, false}; }

SegmentRecord segment(std::int64_t first, std::int64_t last) {
  return {.first = first,
          .last = last,
          .pts = {3600 * first, 3600 * last},
          .t = {0.04 * static_cast<double>(first), 0.04 * static_cast<double>(last)}};
}

Moment moment(std::int64_t frame) { return {frame, 3600 * frame, 0.04 * static_cast<double>(frame)}; }
const Frames kFrames{[](const Moment& one) { return moment(one.frame - 1); },
                     [](double t) { return moment(std::llround(std::ceil(t / 0.04 - 1e-6))); }};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ProjectTest : public testing::Test {
 protected:
  ProjectTest() { project_.open(file(), kVideo, {}); }
  std::filesystem::path file() const { return folder_ / "session" / kProjectFile; }
  std::string state() const { return to_json(project_.edits(), kVideo); }
  std::vector<ListedEvent> list() const { return put_together(found_, {}, project_.edits()); }
  std::vector<ListedSegment> segments() const { return put_together(segments_, project_.edits(), kFrames); }

  TempDir folder_;
  Project project_;
  const std::vector<EventRecord> found_{event("cut", 50), event("novelty", 70), event("return", 90), event("cut", 120)};
  const std::vector<SegmentRecord> segments_{segment(0, 49), segment(50, 119), segment(120, 199)};
};

// Everything that can be done.
void do_all(Project& project, const std::vector<EventRecord>& found) {
  project.rename({listed(found[0])}, QStringLiteral("goal"));
  project.remove({listed(found[1])});
  project.add_mark(moment(30), QStringLiteral("mine"));
  project.add_mark(moment(10));
  project.move(listed(found[3]), moment(118));
  project.split(listed(found[0]), moment(52));
  project.merge({listed(found[2]), listed(found[3])});
  project.call_false({listed(found[2])});
  project.rename_segment(segment(50, 119), QStringLiteral("second"));
  project.split_segment(segment(0, 49), moment(20));
  project.merge_segments(segment(0, 119), segment(120, 199));
  project.add_label({"walk", 1, 2.5});
  project.set_key(3, QStringLiteral("walk"));
  project.set_thresholds({4.5, 0.25}, project.new_gesture());
  project.remove_label(0);
}

TEST_F(ProjectTest, AnExampleIsASegmentOfItsOwn) {
  using Rows = std::vector<std::tuple<std::int64_t, std::int64_t, std::string>>;
  const auto rows = [this] {
    Rows out;
    for (const auto& [one, as_found, named] : segments()) {
      EXPECT_EQ(named, one.labels.has_value());
      out.emplace_back(one.first, one.last, one.labels ? one.labels->front().name : "");
    }
    return out;
  };
  const Rows found{{0, 49, ""}, {50, 119, ""}, {120, 199, ""}};
  ASSERT_EQ(rows(), found);
  project_.add_label({"walk", 1, 2.5});  // over a cut
  const Rows example{{0, 24, ""}, {25, 49, "walk"}, {50, 62, "walk"}, {63, 119, ""}, {120, 199, ""}};
  EXPECT_EQ(rows(), example);
  project_.add_label({"run", 2, 2.2});  // the later one wins
  EXPECT_EQ(rows()[2], Rows::value_type(50, 54, "run"));
  EXPECT_EQ(rows()[3], Rows::value_type(55, 62, "walk"));
  project_.undo_stack().undo();
  project_.rename_segment(segment(25, 49), QStringLiteral("stroll"));
  EXPECT_EQ(rows()[1], Rows::value_type(25, 49, "stroll"));
  project_.merge_segments(segment(0, 24), segment(25, 49));
  EXPECT_EQ(rows()[0], Rows::value_type(0, 49, "stroll"));
  while (project_.undo_stack().canUndo()) project_.undo_stack().undo();
  EXPECT_EQ(rows(), found);
}

TEST_F(ProjectTest, UndoesAndRedoesToExactlyWhatWasThere) {
  std::vector<std::string> states{state()};
  QObject::connect(&project_, &Project::changed, &project_, [&] { states.push_back(state()); });
  do_all(project_, found_);
  const std::vector<std::string> done = states;
  ASSERT_EQ(done.size(), 16U);
  for (std::size_t i = 1; i < done.size(); ++i) EXPECT_NE(done[i], done[i - 1]) << i;
  for (std::size_t i = done.size(); i-- > 1;) {
    EXPECT_EQ(state(), done[i]);
    project_.undo_stack().undo();
    EXPECT_EQ(state(), done[i - 1]) << project_.undo_stack().redoText().toStdString();
  }
  EXPECT_FALSE(project_.undo_stack().canUndo());
  for (std::size_t i = 1; i < done.size(); ++i) {
    project_.undo_stack().redo();
    EXPECT_EQ(state(), done[i]);
  }
}

TEST_F(ProjectTest, IsReadBackAsItWasWritten) {
  do_all(project_, found_);
  const Edits edits = project_.edits();
  project_.close();
  const LoadedProject loaded = load_project(file(), kVideo);
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(loaded.edits, edits);
}

TEST_F(ProjectTest, IsSavedSoonAfterAChange) {
  project_.add_mark(moment(30));
  EXPECT_TRUE(QTest::qWaitFor([&] { return text_of(file()) == state(); }, 5000));
}

TEST_F(ProjectTest, ListsWhatThePersonMadeOfIt) {
  project_.rename({listed(found_[0])}, QStringLiteral("goal"));
  project_.remove({listed(found_[1])});
  project_.add_mark(moment(80));
  project_.merge({listed(found_[3]), listed(found_[2])});
  const auto rows = list();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].event.name, "goal");
  EXPECT_EQ(rows[0].event.kind, "cut");
  EXPECT_EQ(rows[1].event.kind, "mark");
  EXPECT_EQ(rows[1].event.pts, moment(80).pts);
  EXPECT_EQ(rows[2].event.frame, 90);
  EXPECT_EQ(rows[2].event.span, (std::array<std::int64_t, 2>{89, 123}));
  // A name taken back is as if it had never been given, but stays chosen.
  project_.rename({rows[0]}, {});
  EXPECT_EQ(list()[0].event.name, std::nullopt);
}

TEST_F(ProjectTest, SplitsAnEventOnlyWhereItLasts) {
  EXPECT_FALSE(project_.split(listed(found_[0]), moment(50)));
  EXPECT_FALSE(project_.split(listed(found_[0]), moment(54)));
  EXPECT_EQ(project_.undo_stack().count(), 0);
  EXPECT_TRUE(project_.split(listed(found_[0]), moment(52)));
  const auto rows = list();
  EXPECT_EQ(rows[0].event.span, (std::array<std::int64_t, 2>{49, 51}));
  EXPECT_EQ(rows[1].event.span, (std::array<std::int64_t, 2>{52, 53}));
}

TEST_F(ProjectTest, HidesWhatIsBelowTheThresholdAndKeepsWhatAPersonTouched) {
  project_.rename({listed(found_[0])}, QStringLiteral("goal"));
  project_.set_thresholds({std::nullopt, 0.95}, 1);
  ASSERT_EQ(list().size(), 1U);
  EXPECT_EQ(list()[0].event.name, "goal");
  project_.set_thresholds({}, 2);
  EXPECT_EQ(list().size(), 4U);
}

TEST_F(ProjectTest, UndoesADragAsOneStep) {
  const int drag = project_.new_gesture();
  for (const double level : {3.0, 4.0, 5.0}) project_.set_thresholds({level, 0}, drag);
  project_.set_thresholds({7.0, 0}, project_.new_gesture());
  EXPECT_EQ(project_.undo_stack().count(), 2);
  project_.undo_stack().undo();
  EXPECT_EQ(project_.edits().choices.thresholds.surprise, 5.0);
  project_.undo_stack().undo();
  EXPECT_EQ(project_.edits().choices.thresholds.surprise, std::nullopt);
}

TEST_F(ProjectTest, SplitsNamesAndMergesSegments) {
  EXPECT_FALSE(project_.split_segment(segments_[1], moment(50)));
  EXPECT_TRUE(project_.split_segment(segments_[1], moment(80)));
  ASSERT_EQ(segments().size(), 4U);
  EXPECT_EQ(segments()[1].segment.last, 79);
  EXPECT_EQ(segments()[1].segment.pts[1], moment(79).pts);
  EXPECT_EQ(segments()[2].segment.first, 80);
  EXPECT_EQ(segments()[2].segment.last, 119);
  project_.rename_segment(segments()[2].segment, QStringLiteral("run"));
  EXPECT_EQ(segments()[2].segment.labels->front().name, "run");
  project_.merge_segments(segments()[2].segment, segments()[3].segment);
  ASSERT_EQ(segments().size(), 3U);
  EXPECT_EQ(segments()[2].segment.last, 199);
  EXPECT_EQ(segments()[2].segment.labels->front().name, "run");
  project_.merge_segments(segments()[1].segment, segments()[2].segment);
  ASSERT_EQ(segments().size(), 2U);
  EXPECT_EQ(segments()[1].segment.first, 50);
  EXPECT_EQ(segments()[1].segment.labels->front().name, "run");  // the first had no name
  while (project_.undo_stack().canUndo()) project_.undo_stack().undo();
  ASSERT_EQ(segments().size(), 3U);
  EXPECT_TRUE(segments()[1].as_found);
}

TEST_F(ProjectTest, CutsNamesToWholeCharacters) {
  project_.add_mark(moment(1), QString(500, QChar(0x00e9)) + QStringLiteral("\n"));
  EXPECT_EQ(list()[0].event.name->size(), Edits::kNameBytes);
}

TEST(ProjectFile, KeepsAsideWhatItCannotUse) {
  const TempDir folder;
  const auto file = folder / kProjectFile;
  const auto refused = [&](const std::string& text, const std::string& why) {
    std::ofstream(file) << text;
    const LoadedProject loaded = load_project(file, kVideo);
    EXPECT_NE(loaded.problem.find(why), std::string::npos) << loaded.problem;
    EXPECT_EQ(loaded.edits, Edits{});
    EXPECT_FALSE(std::filesystem::exists(file));
    return loaded.problem;
  };
  const std::string good = to_json({}, kVideo);
  refused("", "damaged");
  refused(good.substr(0, good.size() / 2), "damaged");
  refused("[1, 2]", "damaged");
  refused(to_json({}, "another"), "of another video");
  std::string newer = good;
  newer.replace(newer.find("\"schema\": 1"), 11, "\"schema\": 2");
  refused(newer, "newer program");
  EXPECT_EQ(text_of(folder / "project.unusable-1.json"), "");
  EXPECT_EQ(text_of(folder / "project.unusable-3.json"), "[1, 2]");
  EXPECT_EQ(text_of(folder / "project.unusable-5.json"), newer);
  EXPECT_EQ(load_project(file, kVideo).problem, "");  // no file at all
}

}  // namespace
}  // namespace longtake
