// Pictures for made-up films: a camera that moves over a picture, another lens, and all the ways in which two shots can
// follow one another. Small and plain; used for training only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/media/picture.h"
#include "models/train/random.h"

namespace longtake {

// The part of a picture that a camera looks at: a square, in widths of the picture.
struct View {
  double x = 0.5, y = 0.5;  // its centre
  double size = 1;          // of its side
  double turn = 0;          // radians
  bool mirrored = false;
};
// What is in view, [side][side], bilinear. Beyond its edges a picture goes on as at them.
void look(const RgbImage& from, const View& view, int side, RgbImage& out);

// Levels through a table for each channel.
struct Grade {
  std::array<std::array<std::uint8_t, 256>, 3> table{};
  bool grey = false;

  // out = 255 tint · gain · (level / 255)^gamma + offset
  static Grade of(double gain, double gamma, double offset, std::array<double, 3> tint, bool grey);
};
void apply(const Grade& grade, RgbImage& image);

enum class Blend { kDissolve, kFade, kWipe, kPush, kIris, kZoom };
struct BlendStyle {
  Blend kind = Blend::kDissolve;
  std::array<std::uint8_t, 3> colour{};  // kFade: what both fade through
  double hold = 0;                       // kFade: share of the time in which only the colour is seen
  double angle = 0;                      // kWipe and kPush: where the new picture comes from, radians
  double soft = 0;                       // kWipe and kIris: width of the seam, in widths of the picture
};
// From a, at 0, to b, at 1. All of one size.
void blend(const RgbImage& a, const RgbImage& b, const BlendStyle& style, double at, RgbImage& out);

// What may happen in a shot without its ending.
void brighten(RgbImage& image, double gain, double towards_white);
// Rows of bars that look like writing, on a plate or not. `seed` says what is written.
struct Caption {
  double top = 0.8, height = 0.12, left = 0.1, width = 0.8;  // in widths of the picture
  bool plate = false;
  std::uint64_t seed = 0;
};
void write_caption(RgbImage& image, const Caption& caption, double opacity);
// Something large that passes close to the camera: an ellipse with the texture of `skin`.
struct Passer {
  double x = 0, y = 0.5, width = 0.4, height = 0.8;
};
void draw_passer(RgbImage& image, const Passer& passer, const RgbImage& skin);
// Of a camera's sensor and a codec: each pixel by itself, and in soft patches; standard deviations in levels.
void add_noise(RgbImage& image, double pixels, double patches, std::uint64_t seed, std::uint64_t patch_seed);

}  // namespace longtake
