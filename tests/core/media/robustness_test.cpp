// The shared set of odd, damaged and unusual media, through the source alone. tests/robustness.py does the
// same with the whole program.
#include <algorithm>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/media/media_testing.h"

namespace longtake {
namespace {

using namespace testing_media;

struct Row {
  std::string path;
  std::string expect;
  std::size_t frames = 0;
};

std::filesystem::path folder() { return shared_data() / "robustness"; }

// Only the first column is ever quoted text in other rows; the last and the sixth from the end are plain.
std::vector<Row> manifest() {
  std::ifstream in(folder() / "manifest.csv");
  std::vector<Row> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::istringstream split(line);
    for (std::string cell; std::getline(split, cell, ',');) cells.push_back(cell);
    const std::string path = cells.front().substr(0, cells.front().find(' '));  // "… (004 missing)"
    rows.push_back(
        {path, cells.back(), static_cast<std::size_t>(std::atoi(cells[cells.size() - 6].c_str()))});
  }
  return rows;
}

// What the manifest, one program's reading, has otherwise.
std::optional<std::size_t> better_count(const std::string& path) {
  // Its sound is damaged, its pictures are not.
  if (path == "upstream/pixelprobe/corrupted.webm") return 35;
  return std::nullopt;
}

SourceSpec spec_of(const Row& row, int threads = 2) {
  SourceSpec spec;
  spec.uri = (folder() / row.path).string();
  spec.decoder_threads = threads;
  return spec;
}

TEST(RobustnessSet, BehavesAsTheManifestExpects) {
  LONGTAKE_NEEDS_DATA("robustness");
  const std::vector<Row> rows = manifest();
  EXPECT_EQ(rows.size(), 171U);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    const Watched run = watch(spec_of(row), 8);
    const auto better = better_count(row.path);
    if (row.expect == "decode" || better) {
      EXPECT_EQ(run.error, "");
      EXPECT_EQ(run.frames.size(), better.value_or(row.frames));
      EXPECT_EQ(run.decode_errors, 0);
    } else if (row.expect == "partial") {
      EXPECT_EQ(run.error, "");
      EXPECT_GT(run.frames.size(), 0U);
      EXPECT_GT(run.decode_errors, 0);
    } else {
      EXPECT_EQ(run.error_kind, ErrorKind::kInput);
      EXPECT_THAT(run.error, testing::StartsWith("cannot open \""));
      EXPECT_EQ(run.error.find('\n'), std::string::npos);
    }
    for (std::size_t i = 1; i < run.frames.size(); ++i) ASSERT_GT(run.frames[i].pts, run.frames[i - 1].pts);
  }
}

TEST(RobustnessSet, GivesTheSameForAnyNumberOfThreads) {
  LONGTAKE_NEEDS_DATA("robustness");
  for (const Row& row : manifest()) {
    if (row.expect == "reject" && !better_count(row.path)) continue;
    SCOPED_TRACE(row.path);
    const Watched one = watch(spec_of(row, 1), 32);
    for (const int threads : {2, 4}) {
      const Watched more = watch(spec_of(row, threads), 32);
      EXPECT_EQ(more.error, one.error);
      EXPECT_EQ(pts_of(more), pts_of(one));
      EXPECT_EQ(more.decode_errors, one.decode_errors);
      EXPECT_TRUE(more.frames == one.frames) << "pixels with " << threads << " threads";
    }
  }
}

// One decoder conceals with a log line, another with none; a threaded one may differ from run to run. Single
// flipped bits find what whole damaged files do not.
TEST(RobustnessSet, GivesTheSameForAnyNumberOfThreadsWithBitsFlipped) {
  LONGTAKE_NEEDS_DATA("robustness");
  const TemporaryFolder place;
  std::mt19937 random(20);
  for (const std::string name : {"container/h264.ts", "codec/h264_opengop_bpyramid.mp4",
                                 "codec/hevc_8bit.mp4", "codec/mpeg4_bframes.mp4", "codec/av1_8bit.mp4"}) {
    const std::string sound = contents((folder() / name).string());
    for (int round = 0; round < 12; ++round) {
      std::string flipped = sound;
      for (int i = 0; i < 1 + round % 4; ++i) {
        const std::size_t at = flipped.size() / 20 + random() % (flipped.size() * 19 / 20);
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
      }
      SourceSpec spec;
      spec.uri = place.file("flipped" + std::filesystem::path(name).extension().string());
      std::ofstream(spec.uri, std::ios::binary) << flipped;
      spec.decoder_threads = 1;
      const Watched one = watch(spec, 16);
      spec.decoder_threads = 4;
      const Watched four = watch(spec, 16);
      EXPECT_EQ(four.error, one.error) << name << " round " << round;
      EXPECT_EQ(four.decode_errors, one.decode_errors) << name << " round " << round;
      EXPECT_TRUE(four.frames == one.frames) << name << " round " << round;
    }
  }
}

TEST(RobustnessSet, ContinuesEveryFileAsAnUninterruptedRun) {
  LONGTAKE_NEEDS_DATA("robustness");
  for (const Row& row : manifest()) {
    if (row.expect != "decode" && row.expect != "partial") continue;
    SCOPED_TRACE(row.path);
    // The count of decode errors at each frame, which a checkpoint would keep.
    const SourceSpec spec = spec_of(row);
    auto source = open_source(spec, {});
    ASSERT_TRUE(source);
    std::vector<std::int64_t> errors_at;
    while (true) {
      auto item = (*source)->next({});
      ASSERT_TRUE(item);
      if (std::holds_alternative<EndOfStream>(*item)) break;
      if (std::holds_alternative<Frame>(*item)) errors_at.push_back((*source)->decode_errors());
    }
    const Watched whole = watch(spec, 16);
    ASSERT_EQ(whole.frames.size(), errors_at.size());
    const std::size_t count = whole.frames.size();
    for (const std::size_t cut : std::set<std::size_t>{0, 1, count / 3, count / 2 + 1, count - 1}) {
      if (cut >= count) continue;
      SourceSpec rest = spec;
      rest.resume_after_pts = whole.frames[cut].pts;
      rest.resume_ordinal = static_cast<std::int64_t>(cut) + 1;
      rest.resume_decode_errors = errors_at[cut];
      const Watched run = watch(rest, 16);
      EXPECT_EQ(run.error, "");
      const std::vector<Seen> want(whole.frames.begin() + static_cast<std::ptrdiff_t>(cut) + 1,
                                   whole.frames.end());
      EXPECT_TRUE(run.frames == want)
          << "after frame " << cut << ": " << run.frames.size() << " frames, not " << want.size();
      EXPECT_EQ(run.decode_errors, whole.decode_errors) << "after frame " << cut;
      const auto later = std::ranges::count_if(
          whole.gaps, [&](const Discontinuity& gap) { return gap.ordinal > static_cast<std::int64_t>(cut); });
      EXPECT_EQ(static_cast<std::ptrdiff_t>(run.gaps.size()), later) << "after frame " << cut;
    }
  }
}

TEST(RobustnessSet, TimeStampsAreThoseOfFfprobe) {
  LONGTAKE_NEEDS_DATA("robustness");
  LONGTAKE_NEEDS_FFMPEG();
  int compared = 0;
  for (const Row& row : manifest()) {
    if (row.expect != "decode" || row.path.find('%') != std::string::npos || better_count(row.path)) continue;
    SCOPED_TRACE(row.path);
    const Watched run = watch(spec_of(row), 8);
    std::istringstream lines(
        output_of("ffprobe -v quiet -select_streams v:0 -show_entries frame=pts -of csv=p=0 " +
                  shell_quoted(spec_of(row).uri))
            .text);
    std::size_t i = 0;
    for (std::string line; std::getline(lines, line);) {
      line = line.substr(0, line.find(','));
      if (line.empty()) continue;  // a row of side data
      ASSERT_LT(i, run.frames.size());
      const Seen& frame = run.frames[i++];
      if (line == "N/A") {
        EXPECT_TRUE(frame.repaired);
      } else if (!frame.repaired) {
        EXPECT_EQ(std::to_string(frame.pts), line) << "frame " << frame.ordinal;
        ++compared;
      } else {
        // The only one in the set whose clock starts again.
        EXPECT_EQ(row.path, "geometry/resolution_change.ts");
      }
    }
    EXPECT_EQ(i, run.frames.size());
  }
  EXPECT_GT(compared, 9000);
}

}  // namespace
}  // namespace longtake
