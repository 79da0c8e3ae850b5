// Prints what a source delivers, one line a frame: ordinal, pts, "r" if repaired, and a hash of the frame's
// small RGB image. For looking at odd files by hand and for tests/robustness.py.
//
//   frame_dump [--threads N] [--from S] [--to S] [--fps N] [--resume PTS] [--size N] [--quiet] INPUT
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/media/source.h"

namespace {

using namespace longtake;

std::uint64_t hash(const std::vector<std::uint8_t>& bytes) {  // FNV-1a
  std::uint64_t h = 14695981039346656037ULL;
  for (const std::uint8_t byte : bytes) h = (h ^ byte) * 1099511628211ULL;
  return h;
}

// "12.5" as 12500/1000.
Rational thousandths(const char* text) {
  return {static_cast<std::int64_t>(std::strtod(text, nullptr) * 1000 + 0.5), 1000};
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return error.kind == ErrorKind::kInput ? 4 : 7;
}

}  // namespace

int main(int argc, char** argv) {
  SourceSpec spec;
  int size = 32;
  bool quiet = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--threads" && has_value)
      spec.decoder_threads = std::atoi(argv[++i]);
    else if (option == "--from" && has_value)
      spec.from = TimePoint{thousandths(argv[++i])};
    else if (option == "--to" && has_value)
      spec.to = TimePoint{thousandths(argv[++i])};
    else if (option == "--fps" && has_value)
      spec.fps = thousandths(argv[++i]);
    else if (option == "--resume" && has_value)
      spec.resume_after_pts = std::atoll(argv[++i]);
    else if (option == "--size" && has_value)
      size = std::atoi(argv[++i]);
    else if (option == "--quiet")
      quiet = true;
    else
      spec.uri = option;
  }

  auto source = open_source(spec, {});
  if (!source) return fail(source.error());
  const StreamInfo& info = (*source)->info();
  std::printf("info %s %dx%d tb %lld/%lld sar %lld/%lld %s %s %s\n", info.source.c_str(), info.width,
              info.height, static_cast<long long>(info.time_base.num),
              static_cast<long long>(info.time_base.den), static_cast<long long>(info.sample_aspect.num),
              static_cast<long long>(info.sample_aspect.den), info.container.c_str(), info.codec.c_str(),
              info.pixel_format.c_str());
  PictureConverter converter;
  RgbImage image;
  long long frames = 0;
  while (true) {
    auto item = (*source)->next({});
    if (!item) return fail(item.error());
    if (const auto* gap = std::get_if<Discontinuity>(&*item)) {
      std::printf("discontinuity %s %lld %lld %.3f\n", gap->reason.c_str(),
                  static_cast<long long>(gap->ordinal), static_cast<long long>(gap->pts), gap->gap_s);
    } else if (const auto* frame = std::get_if<Frame>(&*item)) {
      ++frames;
      if (size > 0) {
        if (auto done = converter.to_rgb(*frame->picture, size, size, image); !done)
          return fail(done.error());
      }
      if (!quiet) {
        std::printf("frame %lld %lld%s %016llx\n", static_cast<long long>(frame->ordinal),
                    static_cast<long long>(frame->pts), frame->pts_repaired ? " r" : "",
                    static_cast<unsigned long long>(hash(image.pixels)));
      }
    } else {
      break;
    }
  }
  std::printf("end frames %lld errors %lld\n", frames, static_cast<long long>((*source)->decode_errors()));
  return 0;
}
