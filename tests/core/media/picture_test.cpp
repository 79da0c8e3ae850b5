#include "core/media/picture.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "core/media/ffmpeg_handles.h"
#include "core/media/ffmpeg_log.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace longtake {
namespace {

using Rgb = std::array<int, 3>;

RgbImage random_image(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  RgbImage image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
  for (auto& byte : image.pixels) byte = static_cast<std::uint8_t>(random());
  return image;
}

int value(const RgbImage& image, int x, int y, int channel) {
  return image.pixels[static_cast<std::size_t>((y * image.width + x) * 3 + channel)];
}

RgbImage small(const Picture& picture, int width, int height) {
  PictureConverter converter;
  RgbImage out;
  const auto done = converter.to_rgb(picture, width, height, out);
  EXPECT_TRUE(done) << (done ? "" : done.error().message);
  EXPECT_EQ(out.width, width);
  EXPECT_EQ(out.height, height);
  EXPECT_EQ(out.pixels.size(), static_cast<std::size_t>(width * height * 3));
  return out;
}

AvFrame make_frame(int width, int height, AVPixelFormat format) {
  AvFrame frame(av_frame_alloc());
  frame->width = width;
  frame->height = height;
  frame->format = format;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::runtime_error("no frame");
  return frame;
}

// How much each of `from` samples counts for sample `at` of `to`: what an average over the covered stretch,
// or a line between the two nearest centres, says.
std::vector<double> weights(int from, int to, int at) {
  std::vector<double> w(static_cast<std::size_t>(from), 0);
  const double step = static_cast<double>(from) / to;
  if (to <= from) {
    for (int i = 0; i < from; ++i) {
      const double covered = std::min(i + 1.0, (at + 1) * step) - std::max<double>(i, at * step);
      w[static_cast<std::size_t>(i)] = std::max(covered, 0.0) / step;
    }
  } else {
    const double centre = (at + 0.5) * step - 0.5;
    const double left = std::floor(centre);
    const auto index = [&](double i) { return static_cast<std::size_t>(std::clamp(i, 0.0, from - 1.0)); };
    w[index(left)] += 1 - (centre - left);
    w[index(left + 1)] += centre - left;
  }
  return w;
}

TEST(PictureScaling, AveragesWhatItCoversAndInterpolatesWhereItGrows) {
  struct Case {
    int from_width, from_height, width, height;
  };
  const Case cases[] = {{101, 67, 16, 9}, {640, 360, 32, 32},   {9, 7, 5, 4},      {33, 20, 33, 20},
                        {13, 9, 40, 31},  {100, 9, 20, 31},     {9, 100, 31, 20},  {1, 1, 8, 8},
                        {2, 3, 5, 4},     {1280, 16, 224, 224}, {16, 720, 64, 64}, {225, 225, 224, 224}};
  for (const Case& c : cases) {
    const RgbImage image = random_image(c.from_width, c.from_height, 1);
    const RgbImage got = small(*Picture::from_rgb(image), c.width, c.height);
    double worst = 0;
    for (int y = 0; y < c.height; ++y) {
      const auto wy = weights(c.from_height, c.height, y);
      for (int x = 0; x < c.width; ++x) {
        const auto wx = weights(c.from_width, c.width, x);
        for (int channel = 0; channel < 3; ++channel) {
          double want = 0;
          for (int j = 0; j < c.from_height; ++j) {
            if (wy[static_cast<std::size_t>(j)] == 0) continue;
            for (int i = 0; i < c.from_width; ++i) {
              if (wx[static_cast<std::size_t>(i)] == 0) continue;
              want += wy[static_cast<std::size_t>(j)] * wx[static_cast<std::size_t>(i)] *
                      value(image, i, j, channel);
            }
          }
          worst = std::max(worst, std::abs(want - value(got, x, y, channel)));
        }
      }
    }
    EXPECT_LE(worst, 2.0) << c.from_width << "x" << c.from_height << " to " << c.width << "x" << c.height;
  }
}

TEST(PictureScaling, LeavesPicturesOfTheWantedSizeAlone) {
  const RgbImage image = random_image(37, 23, 2);
  EXPECT_EQ(small(*Picture::from_rgb(image), 37, 23).pixels, image.pixels);
}

TEST(PictureScaling, DoesNotDependOnWhatWasConvertedBefore) {
  const auto first = Picture::from_rgb(random_image(320, 180, 3));
  const auto second = Picture::from_rgb(random_image(50, 70, 4));
  const RgbImage want = small(*first, 32, 18);
  PictureConverter converter;
  RgbImage out;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(converter.to_rgb(*second, 224, 224, out));
    ASSERT_TRUE(converter.to_rgb(*first, 32, 18, out));
    EXPECT_EQ(out.pixels, want.pixels);
  }
}

TEST(PictureScaling, RefusesSizesThatMakeNoSense) {
  const auto picture = Picture::from_rgb(random_image(4, 4, 5));
  PictureConverter converter;
  RgbImage out;
  EXPECT_THROW(static_cast<void>(converter.to_rgb(*picture, 3, 8, out)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(converter.to_rgb(*picture, 8, 0, out)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(converter.to_rgb(*picture, 8, 8193, out)), std::invalid_argument);
  EXPECT_THROW(Picture::from_rgb({2, 2, std::vector<std::uint8_t>(11)}), std::invalid_argument);
  EXPECT_THROW(Picture::adopt(nullptr, 0), std::invalid_argument);
}

// Red, green / blue, white.
const std::array<Rgb, 4> kCorners = {{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}}};

Rgb corner(int x, int y) { return kCorners[static_cast<std::size_t>(2 * y + x)]; }

AvFrame four_corners(int width, int height) {
  AvFrame frame = make_frame(width, height, AV_PIX_FMT_RGB24);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Rgb colour = corner(2 * x / width, 2 * y / height);
      for (int i = 0; i < 3; ++i) {
        frame->data[0][y * frame->linesize[0] + 3 * x + i] =
            static_cast<std::uint8_t>(colour[static_cast<std::size_t>(i)]);
      }
    }
  }
  return frame;
}

Rgb at(const RgbImage& image, int x, int y) {
  return {value(image, x, y, 0), value(image, x, y, 1), value(image, x, y, 2)};
}

TEST(PictureRotation, TurnsClockwise) {
  for (int turns = 0; turns < 4; ++turns) {
    AvFrame frame = four_corners(64, 32);
    const auto picture = Picture::adopt(frame.get(), turns);
    EXPECT_EQ(picture->width(), turns % 2 == 0 ? 64 : 32);
    EXPECT_EQ(picture->height(), turns % 2 == 0 ? 32 : 64);
    const int width = turns % 2 == 0 ? 20 : 10;
    const int height = 30 - width;
    const RgbImage image = small(*picture, width, height);
    // One turn brings the lower left corner to the upper left.
    const std::array<std::array<Rgb, 4>, 4> want = {{
        {corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)},
        {corner(0, 1), corner(0, 0), corner(1, 1), corner(1, 0)},
        {corner(1, 1), corner(0, 1), corner(1, 0), corner(0, 0)},
        {corner(1, 0), corner(1, 1), corner(0, 0), corner(0, 1)},
    }};
    const auto& corners = want[static_cast<std::size_t>(turns)];
    EXPECT_EQ(at(image, 1, 1), corners[0]) << turns;
    EXPECT_EQ(at(image, width - 2, 1), corners[1]) << turns;
    EXPECT_EQ(at(image, 1, height - 2), corners[2]) << turns;
    EXPECT_EQ(at(image, width - 2, height - 2), corners[3]) << turns;
  }
  AvFrame frame = four_corners(8, 8);
  EXPECT_THROW(Picture::adopt(frame.get(), 4), std::invalid_argument);
}

TEST(PictureFields, ShowsOnlyTheFirstFieldOfAnInterlacedPicture) {
  for (const bool top_first : {false, true}) {
    for (const int height : {32, 33, 4, 5}) {
      AvFrame frame = make_frame(32, height, AV_PIX_FMT_YUV420P);
      for (int y = 0; y < height; ++y)
        std::fill_n(frame->data[0] + y * frame->linesize[0], 32, y % 2 == 0 ? 235 : 16);
      for (int plane = 1; plane < 3; ++plane) {
        for (int y = 0; y < (height + 1) / 2; ++y)
          std::fill_n(frame->data[plane] + y * frame->linesize[plane], 16, 128);
      }
      frame->interlaced_frame = 1;
      frame->top_field_first = top_first;
      const RgbImage image = small(*Picture::adopt(frame.get(), 0), 16, 16);
      const Rgb want = top_first ? Rgb{255, 255, 255} : Rgb{0, 0, 0};
      for (int y = 0; y < 16; ++y) EXPECT_EQ(at(image, 8, y), want) << height;
    }
  }
}

TEST(PictureAlpha, LiesOverBlackWithoutBleeding) {
  // Clear pixels of any colour are black; half clear ones half as bright.
  AvFrame frame = make_frame(32, 32, AV_PIX_FMT_RGBA);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      std::uint8_t* pixel = frame->data[0] + y * frame->linesize[0] + 4 * x;
      const bool left = x < 16;
      pixel[0] = left ? 255 : 200;
      pixel[1] = left ? 255 : 100;
      pixel[2] = left ? 255 : 50;
      pixel[3] = left ? 0 : y < 16 ? 255 : 128;
    }
  }
  const auto picture = Picture::adopt(frame.get(), 0);
  const RgbImage image = small(*picture, 32, 32);
  EXPECT_EQ(at(image, 4, 4), (Rgb{0, 0, 0}));
  EXPECT_EQ(at(image, 28, 4), (Rgb{200, 100, 50}));
  const Rgb half = at(image, 28, 28);
  EXPECT_NEAR(half[0], 100, 1);
  EXPECT_NEAR(half[1], 50, 1);
  EXPECT_NEAR(half[2], 25, 1);
  const RgbImage tiny = small(*picture, 5, 4);  // the middle column is half clear white, half colour
  EXPECT_NEAR(at(tiny, 2, 0)[0], 100, 2);
}

TEST(PictureAlpha, WorksInYuvOfAnyDepth) {
  for (const AVPixelFormat format : {AV_PIX_FMT_YUVA420P, AV_PIX_FMT_YUVA444P10, AV_PIX_FMT_YUVA422P16}) {
    AvFrame frame = make_frame(30, 30, format);
    const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(format);
    const int scale = 1 << (d.comp[0].depth - 8);
    const std::array<int, 4> samples = {235 * scale, 128 * scale, 128 * scale, (256 * scale - 1) / 2};
    for (int plane = 0; plane < 4; ++plane) {
      for (int y = 0; y < (plane % 3 == 0 ? 30 : AV_CEIL_RSHIFT(30, d.log2_chroma_h)); ++y) {
        std::uint8_t* row = frame->data[plane] + y * frame->linesize[plane];
        for (int x = 0; x < 30 && x * (scale > 1 ? 2 : 1) < frame->linesize[plane]; ++x) {
          const int sample = samples[static_cast<std::size_t>(plane)];
          if (scale > 1) {
            reinterpret_cast<std::uint16_t*>(row)[x] = static_cast<std::uint16_t>(sample);
          } else {
            row[x] = static_cast<std::uint8_t>(sample);
          }
        }
      }
    }
    const Rgb got = at(small(*Picture::adopt(frame.get(), 0), 8, 8), 4, 4);
    for (const int channel : got) EXPECT_NEAR(channel, 127, 2) << d.name;
  }
}

// Every pixel format that swscale can write shows four flat colours as they are.
TEST(PictureFormats, ShowsTheSameColoursInEveryFormat) {
  const ErrorLog silence;
  int formats = 0;
  for (const AVPixFmtDescriptor* d = av_pix_fmt_desc_next(nullptr); d; d = av_pix_fmt_desc_next(d)) {
    const AVPixelFormat format = av_pix_fmt_desc_get_id(d);
    if ((d->flags & AV_PIX_FMT_FLAG_HWACCEL) || !sws_isSupportedOutput(format) ||
        !sws_isSupportedInput(format))
      continue;
    const std::string name = d->name;
    if (name.starts_with("mono") || name == "xyz12be" || name == "xyz12le")
      continue;  // two colours; film printing light
    AvFrame rgb = four_corners(64, 64);
    AvFrame frame = make_frame(64, 64, format);
    SwsScaler scaler(sws_getContext(64, 64, AV_PIX_FMT_RGB24, 64, 64, format,
                                    SWS_POINT | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT,
                                    nullptr, nullptr, nullptr));
    ASSERT_TRUE(scaler) << name;
    ASSERT_EQ(sws_scale(scaler.get(), rgb->data, rgb->linesize, 0, 64, frame->data, frame->linesize), 64)
        << name;
    frame->colorspace = AVCOL_SPC_SMPTE170M;  // what swscale wrote
    const RgbImage image = small(*Picture::adopt(frame.get(), 0), 16, 16);

    int least_depth = 16;
    for (int i = 0; i < d->nb_components; ++i) least_depth = std::min(least_depth, d->comp[i].depth);
    const bool grey = d->nb_components < 3 && !(d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER));
    // Formats of few bits, made with swscale's dithering, are coarse; chroma of 4:1:1 bleeds over the edges.
    const int tolerance = least_depth < 8 || (d->flags & AV_PIX_FMT_FLAG_PAL) ? 40 : 4;
    for (int y = 0; y < 2; ++y) {
      for (int x = 0; x < 2; ++x) {
        const Rgb colour = corner(x, y);
        const int luma = static_cast<int>(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] + 0.5);
        const Rgb got = at(image, 4 + 8 * x, 4 + 8 * y);
        for (std::size_t i = 0; i < 3; ++i) {
          EXPECT_LE(std::abs(got[i] - (grey ? luma : colour[i])), tolerance)
              << name << " corner " << x << y << " channel " << i;
        }
      }
    }
    ++formats;
  }
  EXPECT_GT(formats, 100);
}

TEST(PictureFormats, ShowsBlackAndWhite) {
  for (const AVPixelFormat format : {AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_MONOWHITE}) {
    AvFrame frame = make_frame(64, 16, format);
    for (int y = 0; y < 16; ++y) {
      std::fill_n(frame->data[0] + y * frame->linesize[0], 4, format == AV_PIX_FMT_MONOBLACK ? 0xFF : 0x00);
      std::fill_n(frame->data[0] + y * frame->linesize[0] + 4, 4,
                  format == AV_PIX_FMT_MONOBLACK ? 0x00 : 0xFF);
    }
    const RgbImage image = small(*Picture::adopt(frame.get(), 0), 16, 4);
    EXPECT_EQ(at(image, 2, 2), (Rgb{255, 255, 255}));
    EXPECT_EQ(at(image, 13, 2), (Rgb{0, 0, 0}));
  }
}

TEST(PictureFormats, GuessesTheMatrixBySizeAndBelievesTheStream) {
  const auto shown = [](int width, int height, AVColorSpace space, AVColorRange range) {
    AvFrame frame = make_frame(width, height, AV_PIX_FMT_YUV444P);
    const std::array<int, 3> samples = {81, 90, 240};  // red of BT.601
    for (int plane = 0; plane < 3; ++plane) {
      for (int y = 0; y < height; ++y) {
        std::fill_n(frame->data[plane] + y * frame->linesize[plane], width,
                    samples[static_cast<std::size_t>(plane)]);
      }
    }
    frame->colorspace = space;
    frame->color_range = range;
    return at(small(*Picture::adopt(frame.get(), 0), 8, 8), 4, 4);
  };
  const Rgb red{254, 0, 0};
  EXPECT_EQ(shown(720, 576, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED), red);
  EXPECT_EQ(shown(1280, 720, AVCOL_SPC_BT470BG, AVCOL_RANGE_MPEG), red);
  EXPECT_GT(shown(1280, 720, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_MPEG)[1], 10);
  EXPECT_GT(shown(320, 580, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_MPEG)[1], 10);
  EXPECT_GT(shown(320, 180, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG)[1], 10);
  EXPECT_LT(shown(320, 180, AVCOL_SPC_BT470BG, AVCOL_RANGE_JPEG)[0], 250);
}

TEST(PictureFormats, RefusesAPictureWithoutPixels) {
  AvFrame frame(av_frame_alloc());
  frame->width = frame->height = 16;
  frame->format = AV_PIX_FMT_NONE;
  PictureConverter converter;
  RgbImage out;
  EXPECT_FALSE(converter.to_rgb(*Picture::adopt(frame.get(), 0), 8, 8, out));
}

}  // namespace
}  // namespace longtake
