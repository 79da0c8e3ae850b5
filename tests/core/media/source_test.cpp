// What a source promises, on clips made on the spot.
#include "core/media/source.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/media/media_testing.h"

namespace longtake {
namespace {

using namespace testing_media;
using testing::HasSubstr;
using testing::Not;

constexpr char kH264[] = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
const std::string kFilm = std::string("-f lavfi -i testsrc=s=96x64:r=25:d=4 ") + kH264 + " -g 25 -bf 2";

SourceSpec spec_of(const std::string& uri) {
  SourceSpec spec;
  spec.uri = uri;
  return spec;
}

TimePoint seconds(std::int64_t num, std::int64_t den) { return {Rational{num, den}}; }

std::vector<std::int64_t> probed_pts(const std::string& path) {
  std::istringstream lines(
      output_of("ffprobe -v quiet -select_streams v:0 -show_entries frame=pts -of csv=p=0 " +
                shell_quoted("file:" + path))
          .text);
  std::vector<std::int64_t> pts;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) pts.push_back(std::stoll(line));
  }
  return pts;
}

std::array<int, 3> centre(const Watched& run, std::size_t frame = 0, int size = 32) {
  const std::uint8_t* p =
      &run.frames.at(frame).pixels[static_cast<std::size_t>((size / 2 * size + size / 2) * 3)];
  return {p[0], p[1], p[2]};
}

// ---- Colours and shape
// ----------------------------------------------------------------------------------------------

TEST(SourceColour, ShowsKnownColoursInEveryEncoding) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  struct Encoding {
    const char* matrix;
    const char* tag;
    const char* range;
    const char* pixels;
  };
  const Encoding encodings[] = {
      {"bt601", "smpte170m", "tv", "yuv420p"},     {"bt709", "bt709", "tv", "yuv420p"},
      {"bt601", "smpte170m", "pc", "yuv420p"},     {"bt709", "bt709", "pc", "yuv444p"},
      {"bt709", "bt709", "tv", "yuv420p10le"},     {"bt601", "smpte170m", "pc", "yuv422p10le"},
      {"bt2020", "bt2020nc", "tv", "yuv444p10le"},
  };
  const std::array<std::pair<const char*, std::array<int, 3>>, 4> colours = {{{"0xC83264", {200, 50, 100}},
                                                                              {"0x0000FF", {0, 0, 255}},
                                                                              {"0x10F010", {16, 240, 16}},
                                                                              {"0x808080", {128, 128, 128}}}};
  for (const Encoding& e : encodings) {
    for (const auto& [name, want] : colours) {
      const std::string clip = make_clip(
          folder, "colour.mkv",
          std::string("-f lavfi -i color=c=") + name +
              ":s=64x64:r=5:d=0.4,format=rgb24,scale=out_color_matrix=" + e.matrix + ":out_range=" + e.range +
              ":flags=accurate_rnd+full_chroma_int,format=" + e.pixels +
              " -c:v libx264 -qp 0 -color_primaries bt709 -colorspace " + e.tag + " -color_range " + e.range);
      const Watched run = watch(clip);
      ASSERT_EQ(run.error, "");
      const auto got = centre(run);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(got[i], want[i], 3)
            << e.matrix << ' ' << e.range << ' ' << e.pixels << ' ' << name << " channel " << i;
      }
    }
  }
}

TEST(SourceColour, ToneMapsHdr) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  // 10-bit limited code 573 is 58 % of PQ: 203 cd/m², the white of HDR.
  const std::string clip =
      make_clip(folder, "pq.mp4",
                "-f lavfi -i color=c=black:s=64x64:r=5:d=0.4,format=yuv420p10le,"
                "geq=lum=572:cb=512:cr=512 -c:v libx265 -x265-params log-level=none:lossless=1 "
                "-color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc");
  const Watched run = watch(clip);
  ASSERT_EQ(run.error, "");
  for (const int channel : centre(run)) EXPECT_NEAR(channel, 227, 3);
}

TEST(SourceShape, TurnsPicturesUprightAsFfmpegDoes) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string flat = make_clip(
      folder, "flat.mp4", "-f lavfi -i testsrc=s=96x64:r=5:d=0.4 -vf setsar=2/1 " + std::string(kH264));
  for (const char* turn : {"0", "90", "180", "270", "93"}) {
    const std::string clip = make_clip(
        folder, "turned.mp4", "-i " + shell_quoted(flat) + " -c copy -metadata:s:v:0 rotate=" + turn);
    const Watched run = watch(clip);
    ASSERT_EQ(run.error, "");
    const bool lies = std::string_view(turn) == "90" || std::string_view(turn) == "270";
    EXPECT_EQ(run.info.width, lies ? 64 : 96) << turn;
    EXPECT_EQ(run.info.height, lies ? 96 : 64) << turn;
    EXPECT_EQ(run.info.sample_aspect.num, lies ? 1 : 2) << turn;
    EXPECT_EQ(run.info.sample_aspect.den, lies ? 2 : 1) << turn;

    const bool nonsense = std::string_view(turn) == "93";
    const std::string upright = make_clip(folder, "upright.png",
                                          (nonsense ? "-noautorotate -i " : "-i ") + shell_quoted(clip) +
                                              " -frames:v 1 -sws_flags accurate_rnd+full_chroma_int");
    const auto want = watch(upright).frames.at(0).pixels;
    double difference = 0;
    for (std::size_t i = 0; i < want.size(); ++i) difference += std::abs(want[i] - run.frames[0].pixels[i]);
    EXPECT_LT(difference / static_cast<double>(want.size()), 8) << turn;  // other turns differ by 60 and more
  }
}

TEST(SourceShape, UsesTheFirstFieldOfInterlacedVideo) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  // Two moments woven together: the first field white, the second black.
  const std::string clip = make_clip(
      folder, "fields.mpg",
      "-f lavfi -i \"color=c=white:s=64x64:r=50:d=1,geq=lum='if(mod(N,2),16,235)':cb=128:cr=128,"
      "tinterlace=interleave_top,fieldorder=tff\" -c:v mpeg2video -q:v 1 -flags +ildct+ilme -top 1");
  const Watched run = watch(clip);
  ASSERT_EQ(run.error, "");
  ASSERT_GE(run.frames.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_GT(centre(run, i)[0], 240) << i;
}

TEST(SourceShape, GoesOnWhereTheSizeChanges) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string wide =
      make_clip(folder, "a.ts", "-f lavfi -i color=c=red:s=96x64:r=25:d=1 " + std::string(kH264));
  const std::string tall = make_clip(
      folder, "b.ts", "-f lavfi -i color=c=blue:s=64x160:r=25:d=1 -output_ts_offset 1 " + std::string(kH264));
  const std::string both = folder.file("both.ts");
  std::ofstream(both, std::ios::binary) << contents(wide) << contents(tall);
  const Watched run = watch(both);
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.info.width, 96);
  ASSERT_EQ(run.frames.size(), 50U);
  EXPECT_GT(centre(run, 0)[0], 240);
  EXPECT_GT(centre(run, 49)[2], 240);
}

// ---- Time
// -----------------------------------------------------------------------------------------------------------

TEST(SourceTime, KeepsTheStampsOfVariableFrameRates) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  for (const char* name : {"vfr.mp4", "vfr.mkv", "vfr.mov", "vfr.nut"}) {
    const std::string clip =
        make_clip(folder, name,
                  "-f lavfi -i testsrc=s=64x64:r=60:d=4 -vf \"select='not(mod(n*n,7))'\" -vsync vfr " +
                      std::string(kH264) + " -bf 2");
    const Watched run = watch(clip);
    ASSERT_EQ(run.error, "");
    EXPECT_EQ(pts_of(run), probed_pts(clip)) << name;
    for (const Seen& frame : run.frames) EXPECT_FALSE(frame.repaired);
    EXPECT_TRUE(run.gaps.empty());
  }
}

TEST(SourceTime, ReportsAGapAndDeliversAllFrames) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip =
      make_clip(folder, "gap.mkv",
                "-f lavfi -i testsrc=s=64x64:r=10:d=2 -vf \"setpts='PTS+gte(N,12)*60/TB'\" -vsync vfr " +
                    std::string(kH264));
  const Watched run = watch(clip);
  ASSERT_EQ(run.frames.size(), 20U);
  ASSERT_EQ(run.gaps.size(), 1U);
  EXPECT_EQ(run.gaps[0].reason, "gap");
  EXPECT_EQ(run.gaps[0].ordinal, 12);
  EXPECT_EQ(run.gaps[0].pts, run.frames[12].pts);
  EXPECT_NEAR(run.gaps[0].gap_s, 60.1, 0.001);
}

TEST(SourceTime, DeliversExactlyTheFramesOfARange) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  for (const char* name : {"film.mp4", "film.mkv", "film.ts", "film.avi", "film.mpg"}) {
    const bool mpeg = std::strcmp(name, "film.mpg") == 0;
    const std::string clip = make_clip(
        folder, name, mpeg ? "-f lavfi -i testsrc=s=96x64:r=25:d=4 -c:v mpeg2video -bf 2 -g 12" : kFilm);
    const Watched whole = watch(clip);
    ASSERT_EQ(whole.frames.size(), 100U) << name;
    const Rational base = whole.info.time_base;
    struct Range {
      std::int64_t from_num, to_num, den;
    };
    for (const Range r : {Range{0, 1, 1}, Range{2, 3, 1}, Range{2401, 3599, 1000}, Range{104, 108, 100},
                          Range{3, 90, 1}, Range{1, 1, 1}, Range{-5, 1, 2}, Range{50, 60, 1}}) {
      SourceSpec spec = spec_of(clip);
      spec.from = seconds(r.from_num, r.den);
      spec.to = seconds(r.to_num, r.den);
      const Watched part = watch(spec);
      ASSERT_EQ(part.error, "");
      std::vector<Seen> want;
      bool more_follow = false;
      for (Seen frame : whole.frames) {
        const auto time = static_cast<long double>(frame.pts) * base.num * r.den;
        more_follow = more_follow || time >= static_cast<long double>(r.to_num) * base.den;
        if (more_follow || time < static_cast<long double>(r.from_num) * base.den) continue;
        frame.ordinal = static_cast<std::int64_t>(want.size());
        want.push_back(frame);
      }
      EXPECT_EQ(part.frames, want) << name << " from " << r.from_num << '/' << r.den;
      EXPECT_EQ(part.end.reached_range_end, more_follow);
      EXPECT_TRUE(part.gaps.empty());
    }
    SourceSpec exact = spec_of(clip);
    exact.from = TimePoint{whole.frames[42].pts};
    exact.to = TimePoint{whole.frames[45].pts};
    EXPECT_EQ(watch(exact).frames.size(), 3U) << name;
  }
}

TEST(SourceTime, ContinuesAsAnUninterruptedRunGoesOn) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.mp4", kFilm);
  for (const Rational fps : {Rational{0, 1}, Rational{7, 1}}) {
    SourceSpec spec = spec_of(clip);
    spec.fps = fps;
    spec.from = seconds(1, 3);
    spec.to = seconds(10, 3);
    const Watched whole = watch(spec);
    ASSERT_GE(whole.frames.size(), 20U);
    for (std::size_t cut = 0; cut < whole.frames.size(); cut += 3) {
      SourceSpec rest = spec;
      rest.resume_after_pts = whole.frames[cut].pts;
      rest.resume_ordinal = whole.frames[cut].ordinal + 1;
      rest.resume_decode_errors = 5;
      const Watched run = watch(rest);
      EXPECT_EQ(run.frames, (std::vector<Seen>(whole.frames.begin() + static_cast<std::ptrdiff_t>(cut) + 1,
                                               whole.frames.end())))
          << "after frame " << cut;
      EXPECT_EQ(run.decode_errors, 5);
    }
  }
}

TEST(SourceTime, ReportsAGapRightAfterTheFrameItContinuesFrom) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip =
      make_clip(folder, "gap.mkv",
                "-f lavfi -i testsrc=s=64x64:r=10:d=4 -vf \"setpts='PTS+gte(N,12)*60/TB'\" -vsync vfr -g 5 " +
                    std::string(kH264));
  const Watched whole = watch(clip);
  for (const std::size_t cut : {3U, 10U, 11U, 12U, 13U, 20U}) {
    SourceSpec rest = spec_of(clip);
    rest.resume_after_pts = whole.frames.at(cut).pts;
    rest.resume_ordinal = static_cast<std::int64_t>(cut) + 1;
    const Watched run = watch(rest);
    EXPECT_EQ(run.gaps.size(), cut < 12 ? 1U : 0U) << cut;
    if (!run.gaps.empty()) {
      EXPECT_EQ(run.gaps[0].ordinal, 12);
    }
  }
}

TEST(SourceTime, ReportsNoGapBeforeTheFirstFrameOfARange) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip =
      make_clip(folder, "gap.mkv",
                "-f lavfi -i testsrc=s=64x64:r=10:d=4 -vf \"setpts='PTS+gte(N,12)*60/TB'\" -vsync vfr -g 5 " +
                    std::string(kH264));
  SourceSpec spec = spec_of(clip);
  spec.from = seconds(40, 1);
  const Watched run = watch(spec);
  EXPECT_EQ(run.frames.size(), 28U);
  EXPECT_TRUE(run.gaps.empty());
}

TEST(SourceTime, KnowsTheUsualStepWhereverItContinues) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  // A film that ends in slides, each a key frame: only the first of them comes unexpected.
  const std::string clip = make_clip(
      folder, "slides.mkv",
      "-f lavfi -i testsrc=s=64x64:r=25:d=5 -vf \"setpts='PTS+max(0,N-100)*20/TB'\" -vsync vfr -g 1 " +
          std::string(kH264));
  const Watched whole = watch(clip);
  ASSERT_EQ(whole.frames.size(), 125U);
  ASSERT_EQ(whole.gaps.size(), 1U);
  for (const std::size_t cut : {99U, 100U, 101U, 102U, 110U}) {
    SourceSpec rest = spec_of(clip);
    rest.resume_after_pts = whole.frames[cut].pts;
    EXPECT_EQ(watch(rest).gaps.size(), cut < 101 ? 1U : 0U) << "after frame " << cut;
  }
}

TEST(SourceTime, ThinsToTheFramesThatReachTheGrid) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.mkv", kFilm);
  SourceSpec spec = spec_of(clip);
  spec.fps = {10, 1};
  const Watched run = watch(spec);
  // Frames of 40 ms on a grid of 100 ms.
  std::vector<std::int64_t> want;
  for (std::int64_t point = 0; point < 4000; point += 100) want.push_back((point + 39) / 40 * 40);
  EXPECT_EQ(pts_of(run), want);
  for (std::size_t i = 0; i < run.frames.size(); ++i)
    EXPECT_EQ(run.frames[i].ordinal, static_cast<std::int64_t>(i));
}

TEST(Source, PassesOverEmptyPackets) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "ten.mov", "-f lavfi -i testsrc=s=64x64:r=25:d=0.4 -c:v mjpeg");
  std::string bytes = contents(clip);
  // The table of sample sizes: its name, version, common size and count take 16 bytes; frame 4 is left none.
  const std::size_t sizes = bytes.find("stsz") + 16;
  bytes.replace(sizes + 4 * 4, 4, std::string(4, '\0'));
  std::ofstream(clip, std::ios::binary) << bytes;
  const Watched run = watch(clip);
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.frames.size(), 9U);
  EXPECT_EQ(run.decode_errors, 0);
}

TEST(Source, SaysTheSameAgainAfterItsEnd) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.mp4", kFilm);
  auto source = open_source(spec_of(clip), {});
  ASSERT_TRUE(source);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE((*source)->next({}));
  for (int i = 0; i < 3; ++i) {
    auto item = (*source)->next({});
    ASSERT_TRUE(item);
    EXPECT_TRUE(std::holds_alternative<EndOfStream>(*item));
  }
}

TEST(Source, RefusesImpossibleSpecs) {
  SourceSpec spec = spec_of("x");
  spec.fps = {1, 0};
  EXPECT_THROW(static_cast<void>(open_source(spec, {})), std::invalid_argument);
  spec = spec_of("x");
  spec.read_timeout_s = -1;
  EXPECT_THROW(static_cast<void>(open_source(spec, {})), std::invalid_argument);
  spec = spec_of("x");
  spec.resume_ordinal = -1;
  EXPECT_THROW(static_cast<void>(open_source(spec, {})), std::invalid_argument);
}

// ---- Names
// ----------------------------------------------------------------------------------------------------------

TEST(SourceNames, OpensFilesOfAnyName) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip =
      make_clip(folder, "film.mkv", "-f lavfi -i testsrc=s=64x64:r=25:d=0.2 " + std::string(kH264));
  const std::string picture = make_clip(folder, "still.png", "-f lavfi -i testsrc=s=64x64 -frames:v 1");
  for (const std::string name :
       {"a:b.mkv", "rtsp:x.mkv", "-i.mkv", "100%d.mkv", "%05d.mkv", "what?.mkv", "[1].mkv", "{a,b}*.mkv",
        "say \"hi\".mkv", "it's.mkv", "two\nlines.mkv", "\xc3\xbc\xe6\x97\xa5\xff.mkv", " a b .mkv",
        "back\\slash.mkv", "#hash?.mkv", "film"}) {
    std::filesystem::copy_file(clip, folder.file(name));
    const Watched run = watch(folder.file(name));
    EXPECT_EQ(run.error, "") << name;
    EXPECT_EQ(run.frames.size(), 5U) << name;
    EXPECT_EQ(run.info.source, name);
  }
  for (const std::string name : {"%03d.png", "x*.png", "{1}.png"}) {
    std::filesystem::copy_file(picture, folder.file(name));
    EXPECT_EQ(watch(folder.file(name)).frames.size(), 1U) << name;
  }
  const std::string here = std::filesystem::current_path().string();
  std::filesystem::current_path(folder.file(""));
  EXPECT_EQ(watch("-i.mkv").frames.size(), 5U);
  EXPECT_EQ(watch("a:b.mkv").frames.size(), 5U);
  std::filesystem::current_path(here);
}

TEST(SourceNames, ReadsNumberedImagesFromAnyNumberAndStopsAtAHole) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  make_clip(folder, "n%03d.png", "-f lavfi -i testsrc=s=64x64:r=25:d=0.4 -start_number 95");
  const Watched whole = watch(folder.file("n%03d.png"));
  EXPECT_EQ(whole.frames.size(), 10U);
  EXPECT_EQ(whole.decode_errors, 0);
  EXPECT_EQ(whole.info.source, "n%03d.png");
  for (const int hole : {96, 98, 99, 101, 103}) {
    const std::string name =
        folder.file("n" + std::string(hole < 100 ? "0" : "") + std::to_string(hole) + ".png");
    std::filesystem::rename(name, name + ".away");
    const Watched run = watch(folder.file("n%03d.png"));
    EXPECT_EQ(run.frames.size(), static_cast<std::size_t>(hole - 95)) << hole;
    EXPECT_GT(run.decode_errors, 0) << hole;
    std::filesystem::rename(name + ".away", name);
  }
}

TEST(SourceNames, RefusesTextWhateverItsEnding) {
  const TemporaryFolder folder;
  for (const char* name : {"notes.txt", "notes.nfo", "notes.mp4", "notes", "notes.bin", "notes.yuv"}) {
    std::ofstream(folder.file(name)) << "Dear diary,\n" << std::string(3000, 'x') << "\n";
    const Watched run = watch(folder.file(name));
    EXPECT_THAT(run.error, HasSubstr("cannot open")) << name;
    EXPECT_THAT(run.error, Not(HasSubstr("\n")));
    EXPECT_EQ(run.error_kind, ErrorKind::kInput);
  }
}

TEST(SourceNames, RefusesACoverPicture) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string cover = make_clip(folder, "cover.png", "-f lavfi -i testsrc=s=64x64 -frames:v 1");
  const std::string song = make_clip(folder, "song.m4a",
                                     "-f lavfi -i sine=d=1 -i " + shell_quoted(cover) +
                                         " -map 0 -map 1 -c:a aac -c:v png -disposition:v:0 attached_pic");
  EXPECT_EQ(watch(song).error, "cannot open \"" + song + "\": no video stream (only a cover picture)");
}

TEST(SourceNames, ChoosesTheFilmBeforeTheCover) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string cover = make_clip(folder, "cover.png", "-f lavfi -i testsrc=s=640x640 -frames:v 1");
  const std::string clip = make_clip(folder, "film.mp4",
                                     "-i " + shell_quoted(cover) +
                                         " -f lavfi -i testsrc=s=64x64:r=25:d=1 -map 0 -map 1 -c:v:0 png " +
                                         "-c:v:1 libx264 -disposition:v:0 attached_pic");
  const Watched run = watch(clip);
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.info.width, 64);
  EXPECT_EQ(run.frames.size(), 25U);
}

TEST(SourceLimits, RefusesAbsurdPictureSizes) {
  const TemporaryFolder folder;
  // A PNG header that claims 60000 x 60000, with its right checksum, and nothing behind it.
  const std::string header("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0", 29);
  std::uint32_t crc = 0xffffffffU;
  for (const char c : header.substr(12)) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) ? 0xedb88320U : 0U);
  }
  crc = ~crc;
  std::string file = header;
  for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(crc >> shift);
  file += std::string("\0\0\0\0IDAT", 8) + std::string(1000, 'z');
  std::ofstream(folder.file("big.png"), std::ios::binary) << file;
  const Watched run = watch(folder.file("big.png"));
  EXPECT_EQ(run.error_kind, ErrorKind::kInput);
  EXPECT_THAT(run.error, HasSubstr("cannot open"));
}

// ---- Pipes and URLs
// -------------------------------------------------------------------------------------------------

// Writes bytes into a named pipe from a thread of its own.
class PipeWriter {
 public:
  PipeWriter(const std::string& path, std::string bytes)
      : thread_([path, bytes = std::move(bytes)] {
          std::signal(SIGPIPE, SIG_IGN);
          const int pipe = ::open(path.c_str(), O_WRONLY);
          std::size_t sent = 0;
          while (pipe >= 0 && sent < bytes.size()) {
            const auto n = ::write(pipe, bytes.data() + sent, bytes.size() - sent);
            if (n <= 0) break;
            sent += static_cast<std::size_t>(n);
          }
          ::close(pipe);
        }) {}

 private:
  std::jthread thread_;
};

TEST(SourcePipes, DeliverWhatTheFileDelivers) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  for (const char* name : {"film.ts", "film.mkv", "film.nut", "film.y4m"}) {
    const std::string clip = make_clip(
        folder, name,
        std::strcmp(name, "film.y4m") == 0 ? "-f lavfi -i testsrc=s=96x64:d=4 -pix_fmt yuv420p" : kFilm);
    const Watched file = watch(clip);
    ASSERT_GT(file.frames.size(), 40U);
    const std::string pipe = folder.file(std::string("pipe-") + name);
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    {
      const PipeWriter writer(pipe, contents(clip));
      const Watched piped = watch(pipe);
      EXPECT_EQ(piped.error, "");
      EXPECT_EQ(piped.frames, file.frames) << name;
    }
    const PipeWriter writer(pipe, contents(clip));
    SourceSpec part = spec_of(pipe);
    part.from = seconds(5, 2);
    part.to = seconds(11, 4);
    SourceSpec same = part;
    same.uri = clip;
    EXPECT_EQ(watch(part).frames, watch(same).frames) << name;
  }
}

TEST(SourcePipes, ReadStandardInput) {
  LONGTAKE_NEEDS_FFMPEG();
  const std::string dump = std::string(LONGTAKE_BINARY_DIR) + "/frame_dump";
  if (!std::filesystem::exists(dump)) GTEST_SKIP() << "frame_dump is not built";
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.ts", kFilm);
  const auto frames = [](const Output& out) { return out.text.substr(out.text.find("frame ")); };
  const std::string want = frames(output_of(dump + " " + shell_quoted(clip)));
  EXPECT_EQ(frames(output_of("cat " + shell_quoted(clip) + " | " + dump + " -")), want);
  // A file in all but name: one whose index stands at its end can be read too.
  const std::string mp4 = make_clip(folder, "film.mp4", kFilm);
  EXPECT_EQ(frames(output_of(dump + " - < " + shell_quoted(mp4))),
            frames(output_of(dump + " " + shell_quoted(mp4))));
  EXPECT_THAT(output_of(dump + " - < /dev/null 2>&1").text, HasSubstr("cannot open \"-\""));
}

// The time limits below are long enough for any machine; what is tested is that the wait ends at all.
TEST(SourcePipes, GiveUpWhenNothingComes) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  SourceSpec spec = spec_of(pipe);
  spec.read_timeout_s = 0.3;
  const Watched run = watch(spec);
  EXPECT_THAT(run.error, HasSubstr("nothing came for"));
  EXPECT_EQ(run.error_kind, ErrorKind::kInput);
}

TEST(SourcePipes, StopWhileTheyWait) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const Watched run = watch(spec_of(pipe), 32, stop.get_token());
  EXPECT_EQ(run.error_kind, ErrorKind::kStopped);
}

TEST(SourcePipes, AreLostWhenTheyFallSilent) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.ts", kFilm);
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int held = ::open(pipe.c_str(), O_RDWR);  // keeps the pipe open: silence, not an end
  const PipeWriter writer(pipe, contents(clip));
  SourceSpec spec = spec_of(pipe);
  spec.read_timeout_s = 0.5;
  const Watched run = watch(spec);
  ::close(held);
  EXPECT_EQ(run.error_kind, ErrorKind::kSource);
  EXPECT_THAT(run.error, HasSubstr("nothing came for"));
  EXPECT_GE(run.frames.size(), 90U) << "what had come is delivered first";
}

// Takes one connection on a local port, sends `bytes`, and keeps it open until it is destroyed.
class Server {
 public:
  explicit Server(std::string bytes) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 1) != 0) {
      throw std::runtime_error("no local port");
    }
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, bytes = std::move(bytes)] {
      const int client = accept(listener_, nullptr, nullptr);
      met_ = client >= 0;
      std::size_t sent = 0;
      while (client >= 0 && sent < bytes.size()) {
        const auto n = send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      if (bytes.empty()) {
        char one = 0;
        while (client >= 0 && recv(client, &one, 1, 0) > 0) {
        }
      }
      ::close(client);
    });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
  }
  bool met_somebody() const { return met_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> met_ = false;
  std::jthread thread_;
};

TEST(SourceUrls, DeliverWhatTheFileDelivers) {
  LONGTAKE_NEEDS_FFMPEG();
  const TemporaryFolder folder;
  const std::string clip = make_clip(folder, "film.ts", kFilm);
  const Server server(contents(clip));
  const Watched run = watch("tcp://" + server.address());
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.frames, watch(clip).frames);
}

TEST(SourceUrls, GiveUpOnASilentServerAndStop) {
  {
    const Server server("");
    SourceSpec spec = spec_of("http://user:hunter2@" + server.address() + "/film.mp4?token=hunter2");
    spec.open_timeout_s = 0.3;
    const Watched run = watch(spec);
    EXPECT_THAT(run.error, HasSubstr("nothing came for"));
    EXPECT_THAT(run.error, HasSubstr("http://***@127.0.0.1"));
    EXPECT_THAT(run.error, Not(HasSubstr("hunter2")));
    EXPECT_EQ(run.error_kind, ErrorKind::kInput);
  }
  const Server server("");
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const Watched run = watch(spec_of("http://" + server.address() + "/film.mp4"), 32, stop.get_token());
  EXPECT_EQ(run.error_kind, ErrorKind::kStopped);
}

TEST(SourceUrls, SayWhyTheyFailWithoutSecrets) {
  std::string address;
  {
    const Server gone("");
    address = gone.address();
    // Lets its thread go.
    const int knock = socket(AF_INET, SOCK_STREAM, 0);
    ::close(knock);
  }
  const Watched refused = watch("rtsp://user:hunter2@" + address + "/1");
  EXPECT_EQ(refused.error, "cannot open \"rtsp://***@" + address + "/1\": Connection refused");
  EXPECT_EQ(refused.error_kind, ErrorKind::kInput);
}

TEST(SourceUrls, APlayListInAFileOpensNoSocket) {
  const TemporaryFolder folder;
  const auto hls = [](const std::string& url) {
    return "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n" + url + "\n#EXT-X-ENDLIST\n";
  };
  const auto dash = [](const std::string& url) {
    return R"(<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" )"
           R"(mediaPresentationDuration="PT3S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>)"
           R"(<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="1" bandwidth="1" )"
           R"(codecs="avc1" width="64" height="64"><BaseURL>)" +
           url + R"(</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>)";
  };
  // Names with a % take another way into FFmpeg, see Demuxer.
  for (const std::string name : {"list.m3u8", "list%.m3u8", "list.mpd", "list%.mpd"}) {
    const Server server("x");
    const std::string url = "http://" + server.address() + "/a.mp4";
    std::ofstream(folder.file(name)) << (name.ends_with("mpd") ? dash(url) : hls(url));
    EXPECT_NE(watch(folder.file(name)).error, "");
    EXPECT_FALSE(server.met_somebody()) << name;
  }
}

}  // namespace
}  // namespace longtake
