// What the tests of core/media share: clips made on the spot by the ffmpeg program, and a source read to its
// end.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/media/source.h"

namespace longtake::testing_media {

// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "longtake-media-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

struct Output {
  int status = -1;
  std::string text;
};

// A command's standard output.
inline Output output_of(const std::string& command) {
  Output out;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return out;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) out.text.append(part.data(), n);
  out.status = pclose(pipe);
  return out;
}

inline bool have_ffmpeg() {
  static const bool there = output_of("ffmpeg -version 2>/dev/null").status == 0 &&
                            output_of("ffprobe -version 2>/dev/null").status == 0;
  return there;
}

// ffmpeg ARGUMENTS FILE, which must not fail.
inline std::string make_clip(const TemporaryFolder& folder, const std::string& name,
                             const std::string& arguments) {
  const std::string path = folder.file(name);
  const auto made =
      output_of("ffmpeg -nostdin -v error -y " + arguments + " " + shell_quoted("file:" + path) + " 2>&1");
  if (made.status != 0) throw std::runtime_error("ffmpeg " + arguments + ": " + made.text);
  return path;
}

#define LONGTAKE_NEEDS_FFMPEG()                \
  if (!longtake::testing_media::have_ffmpeg()) \
  GTEST_SKIP() << "the programs ffmpeg and ffprobe are not installed"

inline std::filesystem::path shared_data() {
  return std::filesystem::path(LONGTAKE_SOURCE_DIR) / ".." / "shared" / "data";
}

#define LONGTAKE_NEEDS_DATA(folder)                                                \
  if (!std::filesystem::exists(longtake::testing_media::shared_data() / (folder))) \
  GTEST_SKIP() << "the data set " << (longtake::testing_media::shared_data() / (folder)) << " is not there"

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Seen {
  std::int64_t ordinal = 0;
  std::int64_t pts = 0;
  bool repaired = false;
  std::vector<std::uint8_t> pixels;  // of a small RGB image

  bool operator==(const Seen&) const = default;
};

// A source read to its end.
struct Watched {
  std::string error;  // how it failed, empty if it did not
  ErrorKind error_kind = ErrorKind::kUnexpected;
  StreamInfo info;
  std::vector<Seen> frames;
  std::vector<Discontinuity> gaps;
  EndOfStream end;
  std::int64_t decode_errors = 0;
};

inline Watched watch(const SourceSpec& spec, int size = 32, std::stop_token stop = {}) {
  Watched run;
  auto source = open_source(spec, stop);
  if (!source) {
    run.error = source.error().message;
    run.error_kind = source.error().kind;
    return run;
  }
  run.info = (*source)->info();
  PictureConverter converter;
  RgbImage image;
  while (true) {
    auto item = (*source)->next(stop);
    if (!item) {
      run.error = item.error().message;
      run.error_kind = item.error().kind;
      break;
    }
    if (const auto* frame = std::get_if<Frame>(&*item)) {
      if (auto done = converter.to_rgb(*frame->picture, size, size, image); !done) {
        run.error = done.error().message;
        break;
      }
      run.frames.push_back({frame->ordinal, frame->pts, frame->pts_repaired, image.pixels});
    } else if (const auto* gap = std::get_if<Discontinuity>(&*item)) {
      run.gaps.push_back(*gap);
    } else {
      run.end = std::get<EndOfStream>(*item);
      break;
    }
  }
  run.decode_errors = (*source)->decode_errors();
  return run;
}

inline Watched watch(const std::string& uri, int size = 32) {
  SourceSpec spec;
  spec.uri = uri;
  return watch(spec, size);
}

inline std::vector<std::int64_t> pts_of(const Watched& run) {
  std::vector<std::int64_t> pts;
  for (const Seen& frame : run.frames) pts.push_back(frame.pts);
  return pts;
}

}  // namespace longtake::testing_media
