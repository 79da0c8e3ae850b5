// A decoded picture and the way from it to the small RGB images that everything else looks at.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.h"

struct AVFrame;

namespace longtake {

// 8-bit sRGB, upright, rows from top to bottom.
struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // [height][width][3]
};

// One decoded picture in the decoder's own layout, together with what is needed to show it right: colour
// matrix and range, transfer, rotation, fields. Immutable once made, so any number of threads may read it.
class Picture {
 public:
  // Takes over the frame's buffers; `frame` is left empty and stays the caller's. `clockwise_quarter_turns`
  // in 0..3 makes the picture upright.
  static std::shared_ptr<const Picture> adopt(AVFrame* frame, int clockwise_quarter_turns);
  // For tests and for still images made elsewhere.
  static std::shared_ptr<const Picture> from_rgb(const RgbImage& image);

  ~Picture();
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  int width() const noexcept;   // as shown, after rotation, before any pixel aspect is applied
  int height() const noexcept;  // likewise

 private:
  friend class PictureConverter;
  Picture() = default;
  AVFrame* frame_ = nullptr;
  int quarter_turns_ = 0;
};

// Turns pictures into RGB images of a wanted size, the whole picture squeezed into it. Owns scratch buffers
// that are reused from call to call, so keep one per thread. Equal pictures give equal bytes.
class PictureConverter {
 public:
  PictureConverter();
  ~PictureConverter();
  PictureConverter(const PictureConverter&) = delete;
  PictureConverter& operator=(const PictureConverter&) = delete;

  // Width and height 4..8192, otherwise std::invalid_argument. An error of kind kInput means a pixel format
  // that cannot be shown. `out` is overwritten; its memory is reused. See Note: Colour, Note: Planes and
  // Note: Scaling.
  Result<void> to_rgb(const Picture& picture, int width, int height, RgbImage& out);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace longtake
