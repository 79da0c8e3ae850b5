// Real video for tests of the window: 200 frames, one cut, at frame 100.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/media/source.h"
#include "tests/temp_dir.h"

namespace longtake {

// Made by ffmpeg when it is first asked for; gone when the program ends.
inline const std::string& clip() {
  static const TempDir folder;
  static const std::string path = [] {
    const std::string out = (folder / "cut.mp4").string();
    const std::string command =
        "ffmpeg -v error -f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i mandelbrot=s=320x180:r=25 -filter_complex "
        "'[1:v]trim=duration=4[m];[0:v][m]concat=n=2:v=1,format=yuv420p' -t 8 -g 30 " +
        out;
    if (std::system(command.c_str()) != 0) throw std::runtime_error("ffmpeg could not make the clip");
    return out;
  }();
  return path;
}

// The pts of all its frames, by reading it from end to end.
inline std::vector<std::int64_t> clip_pts() {
  SourceSpec spec;
  spec.uri = clip();
  auto source = open_source(spec, {});
  std::vector<std::int64_t> out;
  for (;;) {
    auto item = (*source)->next({});
    if (!item || std::holds_alternative<EndOfStream>(*item)) return out;
    if (const auto* frame = std::get_if<Frame>(&*item)) out.push_back(frame->pts);
  }
}

}  // namespace longtake
