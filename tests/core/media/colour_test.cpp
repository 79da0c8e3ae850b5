#include "core/media/colour.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

using Rgb = std::array<int, 3>;

template <class Sample>
Rgb convert_one(const Colour& colour, std::array<int, 3> yuv) {
  const ColourConverter converter(colour);
  std::array<Sample, 3> s{};
  for (std::size_t i = 0; i < 3; ++i) s[i] = static_cast<Sample>(yuv[i]);
  std::array<std::uint8_t, 3> rgb{};
  converter.convert_row<Sample>({&s[0], &s[1], &s[2]}, 1, rgb.data());
  return {rgb[0], rgb[1], rgb[2]};
}

Rgb convert(const Colour& colour, std::array<int, 3> yuv) {
  return colour.bits > 8 ? convert_one<std::uint16_t>(colour, yuv) : convert_one<std::uint8_t>(colour, yuv);
}

struct Weights {
  ColourMatrix matrix;
  double kr;
  double kb;
};

// The standards define the way from R'G'B' to Y'CbCr; the converter has to find the way back.
std::array<int, 3> encode(const Weights& w, Rgb rgb, bool full, int bits) {
  const double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
  const double y = w.kr * r + (1 - w.kr - w.kb) * g + w.kb * b;
  const double cb = (b - y) / (2 * (1 - w.kb));
  const double cr = (r - y) / (2 * (1 - w.kr));
  const double scale = std::pow(2.0, bits - 8);
  const double top = std::pow(2.0, bits) - 1;
  const auto luma = [&](double v) { return full ? v * top : (16 + 219 * v) * scale; };
  const auto chroma = [&](double v) { return full ? 128 * scale + v * top : (128 + 224 * v) * scale; };
  const auto whole = [&](double v) { return static_cast<int>(std::lround(std::clamp(v, 0.0, top))); };
  return {whole(luma(y)), whole(chroma(cb)), whole(chroma(cr))};
}

TEST(Colour, FindsBackWhatTheStandardsEncode) {
  const Weights all[] = {{ColourMatrix::kBt601, 0.299, 0.114},
                         {ColourMatrix::kBt709, 0.2126, 0.0722},
                         {ColourMatrix::kFcc, 0.30, 0.11},
                         {ColourMatrix::kSmpte240m, 0.212, 0.087},
                         {ColourMatrix::kBt2020, 0.2627, 0.0593}};
  const Rgb colours[] = {{0, 0, 0},   {255, 255, 255}, {128, 128, 128}, {255, 0, 0},   {0, 255, 0},
                         {0, 0, 255}, {255, 255, 0},   {12, 200, 99},   {250, 128, 3}, {1, 2, 254}};
  for (const Weights& weights : all) {
    for (const bool full : {false, true}) {
      for (const int bits : {8, 9, 10, 12, 14, 16}) {
        for (const Rgb& want : colours) {
          const Rgb got =
              convert({weights.matrix, full, bits, Transfer::kSdr, false}, encode(weights, want, full, bits));
          // Half a step of 8-bit Cb can move blue by one and rounding by a half.
          const int tolerance = bits == 8 ? 2 : 1;
          for (std::size_t i = 0; i < 3; ++i) {
            ASSERT_LE(std::abs(got[i] - want[i]), tolerance)
                << "matrix " << static_cast<int>(weights.matrix) << " full " << full << " bits " << bits;
          }
        }
      }
    }
  }
}

TEST(Colour, TellsMatricesAndRangesApart) {
  const std::array<int, 3> red = encode({ColourMatrix::kBt601, 0.299, 0.114}, {255, 0, 0}, false, 8);
  EXPECT_GT(std::abs(convert({ColourMatrix::kBt709, false, 8, Transfer::kSdr, false}, red)[1] - 0), 10);
  EXPECT_EQ(convert({ColourMatrix::kBt601, false, 8, Transfer::kSdr, false}, {16, 128, 128}), (Rgb{0, 0, 0}));
  EXPECT_EQ(convert({ColourMatrix::kBt601, true, 8, Transfer::kSdr, false}, {16, 128, 128}),
            (Rgb{16, 16, 16}));
}

TEST(Colour, ClipsWhatNoDisplayShows) {
  const Colour colour{ColourMatrix::kBt709, false, 8, Transfer::kSdr, false};
  EXPECT_EQ(convert(colour, {0, 128, 128}), (Rgb{0, 0, 0}));
  EXPECT_EQ(convert(colour, {255, 128, 128}), (Rgb{255, 255, 255}));
  EXPECT_EQ(convert(colour, {128, 255, 255})[0], 255);
}

TEST(Colour, PassesRgbAndGreyThrough) {
  EXPECT_EQ(convert({ColourMatrix::kRgb, true, 8, Transfer::kSdr, false}, {1, 99, 254}), (Rgb{1, 99, 254}));
  EXPECT_EQ(convert({ColourMatrix::kRgb, true, 10, Transfer::kSdr, false}, {0, 512, 1023}),
            (Rgb{0, 128, 255}));
  const ColourConverter grey({ColourMatrix::kGrey, true, 8, Transfer::kSdr, false});
  const std::uint8_t sample = 77;
  std::array<std::uint8_t, 3> rgb{};
  grey.convert_row<std::uint8_t>({&sample, nullptr, nullptr}, 1, rgb.data());
  EXPECT_EQ(rgb, (std::array<std::uint8_t, 3>{77, 77, 77}));
}

TEST(Colour, YcgcoIsUndone) {
  // Y = (R + 2G + B)/4, Cg = (2G - R - B)/4, Co = (R - B)/2; for (200, 100, 50): 112.5, -12.5, 75.
  const Rgb got = convert({ColourMatrix::kYcgco, true, 8, Transfer::kSdr, false}, {113, 115, 203});
  EXPECT_NEAR(got[0], 200, 2);
  EXPECT_NEAR(got[1], 100, 2);
  EXPECT_NEAR(got[2], 50, 2);
}

// 10-bit full-range code of a PQ signal for so much light.
int pq_code(double candela) {
  const double p = std::pow(candela / 10000, 0.1593017578125);
  return static_cast<int>(
      std::lround(1023 * std::pow((0.8359375 + 18.8515625 * p) / (1 + 18.6875 * p), 78.84375)));
}

Rgb pq_grey(double candela) {
  const int code = pq_code(candela);
  return convert({ColourMatrix::kBt2020, true, 10, Transfer::kPq, true}, {code, 512, 512});
}

TEST(HdrColour, ShowsPqAsTheNoteSays) {
  EXPECT_EQ(pq_grey(0), (Rgb{0, 0, 0}));
  // Up to half of white, light stays as it is: a display of gamma 2.4 shows it as that power of it.
  for (const double light : {0.05, 0.1, 0.25, 0.5}) {
    const double want = 255 * std::pow(light, 1 / 2.4);
    EXPECT_NEAR(pq_grey(light * 203)[0], want, 1.5) << light;
  }
  EXPECT_NEAR(pq_grey(203)[0], 227, 2) << "white is bent a little, to leave room above it";
  EXPECT_GE(pq_grey(1000)[0], 254);
  EXPECT_EQ(pq_grey(10000), (Rgb{255, 255, 255}));
  int previous = -1;
  for (double light = 0.1; light < 4000; light *= 1.1) {
    const Rgb got = pq_grey(light);
    EXPECT_EQ(got[0], got[1]);
    EXPECT_EQ(got[1], got[2]);
    EXPECT_GE(got[0], previous);
    previous = got[0];
  }
}

TEST(HdrColour, HlgAndPqAgreeOnTheSameLight) {
  // 75 % of HLG is 203 cd/m² on a 1000 cd/m² display (BT.2408).
  const Rgb hlg = convert({ColourMatrix::kBt2020, true, 10, Transfer::kHlg, true}, {767, 512, 512});
  EXPECT_NEAR(hlg[0], pq_grey(203)[0], 2);
  const Rgb peak = convert({ColourMatrix::kBt2020, true, 10, Transfer::kHlg, true}, {1023, 512, 512});
  EXPECT_GE(peak[0], 254);
}

TEST(HdrColour, MovesBt2020ColoursToBt709) {
  // A BT.709 red of full light, in BT.2020 numbers: 0.6274 0.0691 0.0164, shown through gamma 2.4.
  const Colour wide{ColourMatrix::kRgb, true, 16, Transfer::kSdr, true};
  const auto code = [](double light) {
    return static_cast<int>(std::lround(65535 * std::pow(light, 1 / 2.4)));
  };
  const Rgb red = convert(wide, {code(0.6274), code(0.0691), code(0.0164)});
  EXPECT_GE(red[0], 253);
  EXPECT_LE(red[1], 20);
  EXPECT_LE(red[2], 20);
  const Rgb grey = convert(wide, {30000, 30000, 30000});
  EXPECT_NEAR(grey[0], 30000 / 257, 1);
  EXPECT_EQ(grey[0], grey[1]);
  EXPECT_EQ(convert(wide, {0, 65535, 0}), (Rgb{0, 255, 0})) << "beyond BT.709: clipped";
}

TEST(Colour, GivesEachPixelTheSameWhereverItStandsInARow) {
  const Colour kinds[] = {{ColourMatrix::kBt709, false, 8, Transfer::kSdr, false},
                          {ColourMatrix::kBt2020, false, 8, Transfer::kPq, true}};
  std::mt19937 random(5);
  for (const Colour& colour : kinds) {
    const ColourConverter converter(colour);
    for (const std::size_t width : {1U, 7U, 63U, 64U, 65U, 224U}) {
      std::array<std::vector<std::uint8_t>, 3> planes;
      for (auto& plane : planes) {
        plane.resize(width);
        for (auto& sample : plane) sample = static_cast<std::uint8_t>(random());
      }
      std::vector<std::uint8_t> row(width * 3 + 1, 0xEE);
      converter.convert_row<std::uint8_t>({planes[0].data(), planes[1].data(), planes[2].data()}, width,
                                          row.data());
      EXPECT_EQ(row.back(), 0xEE) << "wrote beyond the row";
      for (std::size_t x = 0; x < width; ++x) {
        std::array<std::uint8_t, 3> one{};
        converter.convert_row<std::uint8_t>({&planes[0][x], &planes[1][x], &planes[2][x]}, 1, one.data());
        ASSERT_TRUE(std::equal(one.begin(), one.end(), row.begin() + static_cast<std::ptrdiff_t>(3 * x)));
      }
    }
  }
}

TEST(Colour, RefusesImpossibleDepths) {
  EXPECT_THROW(ColourConverter({ColourMatrix::kRgb, true, 7, Transfer::kSdr, false}), std::invalid_argument);
  EXPECT_THROW(ColourConverter({ColourMatrix::kRgb, true, 17, Transfer::kSdr, false}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
