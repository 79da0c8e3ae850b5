// A decoded picture as three (or one) planes of samples that can be scaled one by one. Private to core/media.
#pragma once

#include <array>
#include <cstdint>

#include "core/media/colour.h"
#include "core/media/ffmpeg_handles.h"
#include "core/result.h"

namespace longtake {

struct Plane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride_bytes = 0;
  int width = 0;
  int height = 0;
};

struct Planes {
  std::array<Plane, 3> plane;  // Y, U, V, or R, G, B; only the first for grey
  Colour colour;               // its bits say whether a sample takes one byte or two, native order
};

// Note: Planes
// Planar formats of 8 to 16 bits are looked at where they lie. All others (packed, semi-planar, palettes,
// other byte order, floating point) are first converted, at full size and bit depth, to the planar format
// next to them. Alpha: the picture is laid over black, at full size, where colours under clear pixels cannot
// bleed. Fields: a picture flagged as interlaced holds two moments. Only its first field is used, each second
// row, so that what is seen is one moment at the frame's time; at the sizes that encoders look at, the rows
// are not missed.
class PlaneViewer {
 public:
  // The planes point into `frame` or into this object, until the next call. Errors: a format that cannot be
  // converted.
  Result<Planes> view(const AVFrame& frame);

 private:
  Result<const AVFrame*> make_planar(const AVFrame& frame);
  Result<const AVFrame*> convert(const AVFrame& frame, AVPixelFormat to, AvFrame& scratch);
  Result<const AVFrame*> lay_over_black(const AVFrame& frame);

  SwsScaler converter_;
  SwsScaler second_converter_;
  AvFrame unpacked_;
  AvFrame planar_;
  AvFrame opaque_;
};

}  // namespace longtake
