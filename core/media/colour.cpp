#include "core/media/colour.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace longtake {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

constexpr double kHdrWhite = 203;  // cd/m²
constexpr double kHdrPeak = 1000;  // cd/m²
constexpr double kKnee = 0.5;      // of white; below it light stays as it is
constexpr double kDisplayGamma = 2.4;

// BT.2020 to BT.709 primaries, both with the white D65.
constexpr std::array<std::array<float, 3>, 3> kBt2020ToBt709 = {
    {{1.6605F, -0.5876F, -0.0728F}, {-0.1246F, 1.1329F, -0.0083F}, {-0.0182F, -0.1006F, 1.1187F}}};

// Rows R', G', B'; columns Y in 0..1, Cb and Cr in -0.5..0.5. Kr and Kb are the weights of red and blue in Y.
Matrix from_luma_weights(double kr, double kb) {
  const double kg = 1 - kr - kb;
  return {
      {{1, 0, 2 * (1 - kr)}, {1, -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg}, {1, 2 * (1 - kb), 0}}};
}

Matrix matrix_of(ColourMatrix name) {
  switch (name) {
    case ColourMatrix::kRgb:
      return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    case ColourMatrix::kGrey:
      return {{{1, 0, 0}, {1, 0, 0}, {1, 0, 0}}};
    case ColourMatrix::kBt601:
      return from_luma_weights(0.299, 0.114);
    case ColourMatrix::kBt709:
      return from_luma_weights(0.2126, 0.0722);
    case ColourMatrix::kFcc:
      return from_luma_weights(0.30, 0.11);
    case ColourMatrix::kSmpte240m:
      return from_luma_weights(0.212, 0.087);
    case ColourMatrix::kBt2020:
      return from_luma_weights(0.2627, 0.0593);
    case ColourMatrix::kYcgco:
      return {{{1, -1, 1}, {1, 1, 0}, {1, -1, -1}}};
  }
  throw std::invalid_argument("unknown colour matrix");
}

// Light in units of HDR white, 1 for the white of ordinary video.
double light_of_pq(double signal) {
  constexpr double m1 = 2610.0 / 16384, m2 = 2523.0 / 32, c1 = 3424.0 / 4096, c2 = 2413.0 / 128,
                   c3 = 2392.0 / 128;
  const double power = std::pow(signal, 1 / m2);
  return 10000 / kHdrWhite * std::pow(std::max(power - c1, 0.0) / (c2 - c3 * power), 1 / m1);
}

double scene_light_of_hlg(double signal) {
  constexpr double a = 0.17883277, b = 1 - 4 * a;
  const double c = 0.5 - a * std::log(4 * a);
  return signal <= 0.5 ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
}

// Up to the knee as it is, then bending towards 1, which it reaches at the peak. Smooth at the knee.
float tone_curve(float light) {
  constexpr float knee = kKnee;
  constexpr float peak =
      (kHdrPeak / kHdrWhite - kKnee) / (1 - kKnee);  // in units of what is left above the knee
  if (light <= knee) return light;
  const float t = std::min((light - knee) / (1 - knee), peak);
  return knee + (1 - knee) * t * (1 + t / (peak * peak)) / (1 + t);
}

float in_bytes(float value) { return std::clamp(value, 0.0F, 255.0F) + 0.5F; }

}  // namespace

// Powers are too slow for every pixel. The light table is read between its entries; the way back is read at
// the root of the light, where equal steps are about equally visible.
struct ColourConverter::HdrTables {
  static constexpr int kSize = 4096;
  std::array<float, kSize + 2> light{};
  std::array<std::uint8_t, kSize + 1> byte{};

  explicit HdrTables(Transfer transfer) {
    for (int i = 0; i < kSize + 2; ++i) {
      const double signal = std::min(1.0, static_cast<double>(i) / kSize);
      light[static_cast<std::size_t>(i)] =
          static_cast<float>(transfer == Transfer::kPq    ? light_of_pq(signal)
                             : transfer == Transfer::kHlg ? scene_light_of_hlg(signal)
                                                          : std::pow(signal, kDisplayGamma));
    }
    for (int i = 0; i <= kSize; ++i) {
      const double root = static_cast<double>(i) / kSize;
      byte[static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(std::lround(255 * std::pow(root * root, 1 / kDisplayGamma)));
    }
  }

  float light_of(float signal255) const {
    const float at = std::clamp(signal255 * (kSize / 255.0F), 0.0F, static_cast<float>(kSize));
    const auto i = static_cast<std::size_t>(at);
    return light[i] + (at - static_cast<float>(i)) * (light[i + 1] - light[i]);
  }

  std::uint8_t byte_of(float value) const {
    const float root = std::sqrt(std::clamp(value, 0.0F, 1.0F));
    return byte[static_cast<std::size_t>(root * kSize + 0.5F)];
  }

  void convert(const Colour& colour, std::array<float, 3> signal, std::uint8_t* rgb) const {
    std::array<float, 3> rgb_light{light_of(signal[0]), light_of(signal[1]), light_of(signal[2])};
    if (colour.transfer == Transfer::kHlg) {
      const float luma = 0.2627F * rgb_light[0] + 0.6780F * rgb_light[1] + 0.0593F * rgb_light[2];
      const float gain = static_cast<float>(kHdrPeak / kHdrWhite) * std::pow(std::max(luma, 1e-6F), 0.2F);
      for (float& each : rgb_light) each *= gain;
    }
    if (colour.bt2020_primaries) {
      const auto wide = rgb_light;
      for (std::size_t i = 0; i < 3; ++i) {
        const auto& row = kBt2020ToBt709[i];
        rgb_light[i] = std::max(0.0F, row[0] * wide[0] + row[1] * wide[1] + row[2] * wide[2]);
      }
    }
    if (colour.transfer != Transfer::kSdr) {
      const float brightest = std::max({rgb_light[0], rgb_light[1], rgb_light[2], 1e-6F});
      const float gain = tone_curve(brightest) / brightest;
      for (float& each : rgb_light) each *= gain;
    }
    for (std::size_t i = 0; i < 3; ++i) rgb[i] = byte_of(rgb_light[i]);
  }
};

ColourConverter::ColourConverter(const Colour& colour) : colour_(colour) {
  if (colour.bits < 8 || colour.bits > 16) throw std::invalid_argument("samples must have 8 to 16 bits");
  const bool no_chroma = colour.matrix == ColourMatrix::kRgb || colour.matrix == ColourMatrix::kGrey;
  const double step = 1 << (colour.bits - 8);  // of a sample, for one of the 8-bit numbers below
  const double largest = (1 << colour.bits) - 1;
  const double black = colour.full_range ? 0 : 16 * step;
  const double luma_span = colour.full_range ? largest : 219 * step;
  const double chroma_span = colour.full_range ? largest : 224 * step;
  const Matrix matrix = matrix_of(colour.matrix);
  for (std::size_t row = 0; row < 3; ++row) {
    double offset = 0;
    for (std::size_t column = 0; column < 3; ++column) {
      const bool chroma = column > 0 && !no_chroma;
      const double scale = 255 * matrix[row][column] / (chroma ? chroma_span : luma_span);
      matrix_[row][column] = static_cast<float>(scale);
      offset -= scale * (chroma ? 128 * step : black);
    }
    offset_[row] = static_cast<float>(offset);
  }
  if (colour.transfer != Transfer::kSdr || colour.bt2020_primaries) {
    hdr_ = std::make_unique<const HdrTables>(colour.transfer);
  }
}

ColourConverter::~ColourConverter() = default;

template <class Sample>
void ColourConverter::convert_row(const std::array<const Sample*, 3>& planes, std::size_t pixels,
                                  std::uint8_t* rgb) const {
  const bool grey = colour_.matrix == ColourMatrix::kGrey;
  const Sample* const first = planes[0];
  const Sample* const second = grey ? first : planes[1];
  const Sample* const third = grey ? first : planes[2];
  // Blocks of planar numbers, so that the compiler makes vector code of the arithmetic.
  constexpr std::size_t kBlock = 64;
  std::array<std::array<float, kBlock>, 3> block;
  for (std::size_t start = 0; start < pixels; start += kBlock) {
    const std::size_t count = std::min(kBlock, pixels - start);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const auto [a, b, c] = matrix_[channel];
      const float offset = offset_[channel];
      auto& out = block[channel];
      for (std::size_t i = 0; i < count; ++i) {
        out[i] = a * static_cast<float>(first[start + i]) + b * static_cast<float>(second[start + i]) +
                 c * static_cast<float>(third[start + i]) + offset;
      }
    }
    std::uint8_t* to = rgb + 3 * start;
    if (hdr_) {
      for (std::size_t i = 0; i < count; ++i)
        hdr_->convert(colour_, {block[0][i], block[1][i], block[2][i]}, to + 3 * i);
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        to[3 * i + channel] = static_cast<std::uint8_t>(in_bytes(block[channel][i]));
      }
    }
  }
}

template void ColourConverter::convert_row(const std::array<const std::uint8_t*, 3>&, std::size_t,
                                           std::uint8_t*) const;
template void ColourConverter::convert_row(const std::array<const std::uint16_t*, 3>&, std::size_t,
                                           std::uint8_t*) const;

}  // namespace longtake
