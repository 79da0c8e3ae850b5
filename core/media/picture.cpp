#include "core/media/picture.h"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "core/media/colour.h"
#include "core/media/ffmpeg_handles.h"
#include "core/media/planes.h"

namespace longtake {
namespace {

constexpr int kSmallest = 4;  // below, swscale is not exact (from 3 to 2, and to 1)
constexpr int kLargest = 8192;
constexpr std::size_t kRowAlignment = 64;

// Scaled samples of one plane. Rows are padded: vector code may write a little beyond the last sample.
struct ScaledPlane {
  std::vector<std::uint8_t> bytes;
  std::size_t stride_bytes = 0;

  void fit(int width, int height, std::size_t sample_bytes) {
    const std::size_t row = static_cast<std::size_t>(width) * sample_bytes;
    stride_bytes = (row + 2 * kRowAlignment) / kRowAlignment * kRowAlignment;
    bytes.resize(stride_bytes * static_cast<std::size_t>(height) + kRowAlignment);
  }
  std::uint8_t* row(int y) { return aligned() + static_cast<std::size_t>(y) * stride_bytes; }

 private:
  std::uint8_t* aligned() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    return bytes.data() + (kRowAlignment - address % kRowAlignment) % kRowAlignment;
  }
};

AVPixelFormat grey_of(int bits) {
  switch (bits) {
    case 8:
      return AV_PIX_FMT_GRAY8;
    case 9:
      return AV_PIX_FMT_GRAY9;
    case 10:
      return AV_PIX_FMT_GRAY10;
    case 12:
      return AV_PIX_FMT_GRAY12;
    case 14:
      return AV_PIX_FMT_GRAY14;
    default:
      return AV_PIX_FMT_GRAY16;
  }
}

// Where pixel (x, y) of the unturned picture goes in the upright one.
struct Turn {
  int quarter_turns;
  int width;  // of the unturned picture
  int height;

  std::size_t target(int x, int y) const {
    switch (quarter_turns) {
      case 1:
        return index(height - 1 - y, x, height);
      case 2:
        return index(width - 1 - x, height - 1 - y, width);
      case 3:
        return index(y, width - 1 - x, height);
      default:
        return index(x, y, width);
    }
  }

 private:
  static std::size_t index(int x, int y, int row) {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(row) + static_cast<std::size_t>(x);
  }
};

}  // namespace

std::shared_ptr<const Picture> Picture::adopt(AVFrame* frame, int clockwise_quarter_turns) {
  if (!frame || clockwise_quarter_turns < 0 || clockwise_quarter_turns > 3) {
    throw std::invalid_argument("a picture needs a frame and 0 to 3 quarter turns");
  }
  std::shared_ptr<Picture> picture(new Picture());
  picture->frame_ = av_frame_alloc();
  if (!picture->frame_) throw std::bad_alloc();
  av_frame_move_ref(picture->frame_, frame);
  picture->quarter_turns_ = clockwise_quarter_turns;
  return picture;
}

std::shared_ptr<const Picture> Picture::from_rgb(const RgbImage& image) {
  const auto width = static_cast<std::size_t>(std::max(image.width, 0));
  const auto height = static_cast<std::size_t>(std::max(image.height, 0));
  if (width == 0 || height == 0 || image.pixels.size() != width * height * 3) {
    throw std::invalid_argument("an image needs pixels, three bytes for each");
  }
  AvFrame frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  frame->width = image.width;
  frame->height = image.height;
  frame->format = AV_PIX_FMT_GBRP;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  constexpr std::size_t kChannelOfPlane[3] = {1, 2, 0};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    for (std::size_t y = 0; y < height; ++y) {
      const std::uint8_t* from = &image.pixels[y * width * 3 + kChannelOfPlane[plane]];
      std::uint8_t* to = frame->data[plane] + y * static_cast<std::size_t>(frame->linesize[plane]);
      for (std::size_t x = 0; x < width; ++x) to[x] = from[3 * x];
    }
  }
  return adopt(frame.get(), 0);
}

Picture::~Picture() { av_frame_free(&frame_); }

int Picture::width() const noexcept { return quarter_turns_ % 2 == 0 ? frame_->width : frame_->height; }

int Picture::height() const noexcept { return quarter_turns_ % 2 == 0 ? frame_->height : frame_->width; }

// Note: Scaling
// swscale scales, one plane at a time, with its area filter: an average over exactly the covered area where
// an axis shrinks, linear interpolation where it grows, each axis for itself, the same on every CPU. That
// happens in the stream's own colours, so that all the later, dearer steps see only the few pixels that are
// wanted. Averages of such samples are not averages of light; nor are those that image encoders were trained
// with.
struct PictureConverter::Scratch {
  PlaneViewer viewer;
  std::array<SwsScaler, 2> scalers;  // of the first plane, and of the other two
  std::array<ScaledPlane, 3> scaled;
  std::vector<std::uint8_t> row;  // of RGB, before it is turned
  std::unique_ptr<ColourConverter> colours;

  Result<void> scale(const Planes& planes, int width, int height) {
    const AVPixelFormat format = grey_of(planes.colour.bits);
    const std::size_t count = planes.colour.matrix == ColourMatrix::kGrey ? 1 : 3;
    for (std::size_t i = 0; i < count; ++i) {
      const Plane& from = planes.plane[i];
      SwsScaler& scaler = scalers[i == 0 ? 0 : 1];
      scaler.reset(sws_getCachedContext(scaler.release(), from.width, from.height, format, width, height,
                                        format, SWS_AREA | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr,
                                        nullptr));
      scaled[i].fit(width, height, planes.colour.bits > 8 ? 2 : 1);
      const std::uint8_t* const source[] = {from.data, nullptr, nullptr, nullptr};
      const int source_stride[] = {static_cast<int>(from.stride_bytes), 0, 0, 0};
      std::uint8_t* const target[] = {scaled[i].row(0), nullptr, nullptr, nullptr};
      const int target_stride[] = {static_cast<int>(scaled[i].stride_bytes), 0, 0, 0};
      if (!scaler ||
          sws_scale(scaler.get(), source, source_stride, 0, from.height, target, target_stride) != height) {
        return Error{ErrorKind::kInput, "cannot scale a picture of " + std::to_string(from.width) + " x " +
                                            std::to_string(from.height) + " to " + std::to_string(width) +
                                            " x " + std::to_string(height)};
      }
    }
    return {};
  }

  template <class Sample>
  void colour(int width, int height, int quarter_turns, RgbImage& out) {
    const Turn turn{quarter_turns, width, height};
    row.resize(static_cast<std::size_t>(width) * 3);
    for (int y = 0; y < height; ++y) {
      const auto samples = [&](std::size_t plane) {
        return scaled[plane].bytes.empty() ? nullptr : reinterpret_cast<const Sample*>(scaled[plane].row(y));
      };
      std::uint8_t* to = quarter_turns == 0 ? &out.pixels[turn.target(0, y) * 3] : row.data();
      colours->convert_row<Sample>({samples(0), samples(1), samples(2)}, static_cast<std::size_t>(width), to);
      if (quarter_turns == 0) continue;
      for (int x = 0; x < width; ++x)
        std::copy_n(&row[static_cast<std::size_t>(x) * 3], 3, &out.pixels[turn.target(x, y) * 3]);
    }
  }
};

PictureConverter::PictureConverter() : scratch_(std::make_unique<Scratch>()) {}

PictureConverter::~PictureConverter() = default;

Result<void> PictureConverter::to_rgb(const Picture& picture, int width, int height, RgbImage& out) {
  if (width < kSmallest || height < kSmallest || width > kLargest || height > kLargest) {
    throw std::invalid_argument("an image must have 4 to 8192 pixels a side");
  }
  Scratch& scratch = *scratch_;
  auto planes = scratch.viewer.view(*picture.frame_);
  if (!planes) return std::move(planes).error();
  const int turns = picture.quarter_turns_;
  const int lying_width = turns % 2 == 0 ? width : height;
  const int lying_height = turns % 2 == 0 ? height : width;
  if (auto done = scratch.scale(*planes, lying_width, lying_height); !done) return done;

  if (!scratch.colours || !(scratch.colours->colour() == planes->colour)) {
    scratch.colours = std::make_unique<ColourConverter>(planes->colour);
  }
  out.width = width;
  out.height = height;
  out.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  if (planes->colour.bits > 8) {
    scratch.colour<std::uint16_t>(lying_width, lying_height, turns, out);
  } else {
    scratch.colour<std::uint8_t>(lying_width, lying_height, turns, out);
  }
  return {};
}

}  // namespace longtake
