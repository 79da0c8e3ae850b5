#include "models/train/made_pictures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace longtake {
namespace {

std::uint8_t level(double value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

std::uint8_t mixed(std::uint8_t a, std::uint8_t b, int share_of_b) {  // of 256
  return static_cast<std::uint8_t>((a * (256 - share_of_b) + b * share_of_b + 128) >> 8);
}

void resize(RgbImage& image, int side) {
  image.width = image.height = side;
  image.pixels.resize(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
}

// f(x, y, pixel) for all of them; x and y from 0 to 1.
template <class F>
void for_each_pixel(RgbImage& image, F f) {
  std::uint8_t* pixel = image.pixels.data();
  for (int row = 0; row < image.height; ++row) {
    const double y = (row + 0.5) / image.height;
    for (int column = 0; column < image.width; ++column, pixel += 3) f((column + 0.5) / image.width, y, pixel);
  }
}

// Of b in a pixel, of 256, when the seam has come to `distance` < 0 (not there yet) or > 0.
int share(double distance, double soft) {
  if (soft <= 0) return distance > 0 ? 256 : 0;
  return static_cast<int>(256 * std::clamp(distance / soft + 0.5, 0.0, 1.0));
}

// Not good random numbers, but quick ones.
class QuickNoise {
 public:
  explicit QuickNoise(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  double next() {  // mean 0, standard deviation 1: a sum of four even ones
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t bits = state_ >> 32U;
    const auto sum = static_cast<double>((bits & 255U) + (bits >> 8U & 255U) + (bits >> 16U & 255U) + (bits >> 24U & 255U));
    return (sum - 510) / 147.8;
  }

 private:
  std::uint64_t state_;
};

}  // namespace

void look(const RgbImage& from, const View& view, int side, RgbImage& out) {
  resize(out, side);
  const double cosine = std::cos(view.turn) * view.size, sine = std::sin(view.turn) * view.size;
  const double right = from.width - 1, bottom = from.height - 1;
  for_each_pixel(out, [&](double x, double y, std::uint8_t* pixel) {
    const double u = view.mirrored ? 0.5 - x : x - 0.5, v = y - 0.5;
    const double at_x = std::clamp((view.x + cosine * u - sine * v) * from.width - 0.5, 0.0, right);
    const double at_y = std::clamp((view.y + sine * u + cosine * v) * from.height - 0.5, 0.0, bottom);
    const int x0 = static_cast<int>(at_x), y0 = static_cast<int>(at_y);
    const int x1 = std::min(x0 + 1, from.width - 1), y1 = std::min(y0 + 1, from.height - 1);
    const int fx = static_cast<int>((at_x - x0) * 256), fy = static_cast<int>((at_y - y0) * 256);
    const auto corner = [&](int column, int row) {
      return &from.pixels[(static_cast<std::size_t>(row) * static_cast<std::size_t>(from.width) +
                           static_cast<std::size_t>(column)) * 3];
    };
    const std::uint8_t *a = corner(x0, y0), *b = corner(x1, y0), *c = corner(x0, y1), *d = corner(x1, y1);
    for (int i = 0; i < 3; ++i) pixel[i] = mixed(mixed(a[i], b[i], fx), mixed(c[i], d[i], fx), fy);
  });
}

Grade Grade::of(double gain, double gamma, double offset, std::array<double, 3> tint, bool grey) {
  Grade out;
  out.grey = grey;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < 256; ++i) {
      out.table[channel][i] = level(255 * tint[channel] * gain * std::pow(static_cast<double>(i) / 255, gamma) + offset);
    }
  }
  return out;
}

void apply(const Grade& grade, RgbImage& image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* const pixel = &image.pixels[i];
    if (grade.grey) pixel[0] = pixel[1] = pixel[2] = static_cast<std::uint8_t>((pixel[0] * 77 + pixel[1] * 150 + pixel[2] * 29) >> 8);
    for (std::size_t channel = 0; channel < 3; ++channel) pixel[channel] = grade.table[channel][pixel[channel]];
  }
}

void blend(const RgbImage& a, const RgbImage& b, const BlendStyle& style, double at, RgbImage& out) {
  resize(out, a.width);
  const auto pair = [&](const std::uint8_t* pixel) { return pixel - out.pixels.data(); };
  switch (style.kind) {
    case Blend::kDissolve: {
      const int of_b = static_cast<int>(256 * at);
      for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = mixed(a.pixels[i], b.pixels[i], of_b);
      return;
    }
    case Blend::kFade: {
      const double dark_from = (1 - style.hold) / 2, dark_to = (1 + style.hold) / 2;
      const bool before = at < 0.5;
      const double there = before ? (dark_from > 0 ? std::min(1.0, at / dark_from) : 1)
                                  : (dark_to < 1 ? std::min(1.0, (1 - at) / (1 - dark_to)) : 1);
      const int of_colour = static_cast<int>(256 * there);
      const RgbImage& seen = before ? a : b;
      for (std::size_t i = 0; i < out.pixels.size(); ++i) {
        out.pixels[i] = mixed(seen.pixels[i], style.colour[i % 3], of_colour);
      }
      return;
    }
    case Blend::kWipe: {
      const double dx = std::cos(style.angle), dy = std::sin(style.angle);
      const double reach = 0.5 * (std::abs(dx) + std::abs(dy)) + style.soft / 2;
      for_each_pixel(out, [&](double x, double y, std::uint8_t* pixel) {
        const int of_b = share((2 * at - 1) * reach - ((x - 0.5) * dx + (y - 0.5) * dy), style.soft);
        for (int i = 0; i < 3; ++i) pixel[i] = mixed(a.pixels[std::size_t(pair(pixel) + i)], b.pixels[std::size_t(pair(pixel) + i)], of_b);
      });
      return;
    }
    case Blend::kPush: {
      // Along the nearer axis: the new picture pushes the old one out.
      const bool across = std::abs(std::cos(style.angle)) > std::abs(std::sin(style.angle));
      const bool forwards = (across ? std::cos(style.angle) : std::sin(style.angle)) > 0;
      const int side = out.width, shift = static_cast<int>(at * side);
      for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column) {
          int along = (across ? column : row) + (forwards ? shift : side - shift);
          const RgbImage& seen = forwards ? (along < side ? a : b) : (along < side ? b : a);
          along %= side;
          const int y = across ? row : along, x = across ? along : column;
          for (int i = 0; i < 3; ++i) {
            out.pixels[static_cast<std::size_t>((row * side + column) * 3 + i)] = seen.pixels[static_cast<std::size_t>((y * side + x) * 3 + i)];
          }
        }
      }
      return;
    }
    case Blend::kIris:
      for_each_pixel(out, [&](double x, double y, std::uint8_t* pixel) {
        const double reach = std::numbers::sqrt2 / 2 + style.soft;
        const int of_b = share(at * reach - style.soft / 2 - std::hypot(x - 0.5, y - 0.5), style.soft);
        for (int i = 0; i < 3; ++i) pixel[i] = mixed(a.pixels[std::size_t(pair(pixel) + i)], b.pixels[std::size_t(pair(pixel) + i)], of_b);
      });
      return;
    case Blend::kZoom: {
      RgbImage near;
      look(a, {0.5, 0.5, 1 - 0.8 * at, 0, false}, a.width, near);
      const int of_b = static_cast<int>(256 * at * at);
      for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = mixed(near.pixels[i], b.pixels[i], of_b);
      return;
    }
  }
}

void brighten(RgbImage& image, double gain, double towards_white) {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double brighter = std::min(255.0, static_cast<double>(i) * gain);
    table[i] = level(brighter + (255 - brighter) * towards_white);
  }
  for (std::uint8_t& value : image.pixels) value = table[value];
}

void write_caption(RgbImage& image, const Caption& caption, double opacity) {
  const int of_ink = static_cast<int>(256 * std::clamp(opacity, 0.0, 1.0));
  const int rows = caption.height > 0.1 ? 2 : 1;
  for_each_pixel(image, [&](double x, double y, std::uint8_t* pixel) {
    const double u = (x - caption.left) / caption.width, v = (y - caption.top) / caption.height;
    if (u < 0 || u >= 1 || v < 0 || v >= 1) return;
    // A letter is a few bars in a cell.
    const auto cell = static_cast<std::uint64_t>(u * 24), row = static_cast<std::uint64_t>(v * rows);
    const std::uint64_t letter = (caption.seed + cell * 31 + row * 977) * 0x9E3779B97F4A7C15ULL >> 40U;
    const double inside_x = u * 24 - static_cast<double>(cell), inside_y = v * rows - static_cast<double>(row);
    const bool gap = inside_x > 0.75 || inside_y > 0.8 || inside_y < 0.15 || letter % 6 == 0;
    const auto stroke = static_cast<unsigned>(inside_x * 4) + 3 * static_cast<unsigned>(inside_y * 4);
    const bool ink = !gap && (letter >> (stroke % 16) & 1U) != 0;
    if (!ink && !caption.plate) return;
    for (int i = 0; i < 3; ++i) pixel[i] = mixed(pixel[i], ink ? 240 : 25, of_ink);
  });
}

void draw_passer(RgbImage& image, const Passer& passer, const RgbImage& skin) {
  for_each_pixel(image, [&](double x, double y, std::uint8_t* pixel) {
    const double u = (x - passer.x) / passer.width * 2, v = (y - passer.y) / passer.height * 2;
    if (u * u + v * v >= 1) return;
    const int column = static_cast<int>((u + 1) / 2 * (skin.width - 1)), row = static_cast<int>((v + 1) / 2 * (skin.height - 1));
    std::copy_n(&skin.pixels[static_cast<std::size_t>((row * skin.width + column) * 3)], 3, pixel);
  });
}

void add_noise(RgbImage& image, double pixels, double patches, std::uint64_t seed, std::uint64_t patch_seed) {
  if (pixels <= 0 && patches <= 0) return;
  constexpr int kPatches = 28;
  std::array<double, kPatches * kPatches> soft{};
  QuickNoise patch_noise(patch_seed), pixel_noise(seed);
  for (double& value : soft) value = patches * patch_noise.next();
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column) {
      const double patch = soft[static_cast<std::size_t>(row * kPatches / image.height * kPatches + column * kPatches / image.width)];
      std::uint8_t* const pixel = &image.pixels[static_cast<std::size_t>((row * image.width + column) * 3)];
      const double value = patch + pixels * pixel_noise.next();
      for (int i = 0; i < 3; ++i) pixel[i] = level(pixel[i] + value);
    }
  }
}

}  // namespace longtake
