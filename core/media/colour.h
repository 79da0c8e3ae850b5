// From a video's samples to 8-bit RGB as a standard display shows it. Pure numbers.
//
// Note: Colour
// Samples are planar, of equal size, one number per pixel and plane. They become R'G'B' by one 3x3 matrix and
// offset (matrix coefficients, range and bit depth all end up in it). For ordinary video (8 or more bits,
// BT.601 or BT.709 colours) that is the result, rounded. HDR (PQ, HLG) and BT.2020 colours take a longer way:
// R'G'B' → light (PQ: SMPTE ST 2084; HLG: BT.2100 with the 1000 cd/m² system gamma 1.2; otherwise gamma 2.4)
// → BT.709 primaries → a curve that leaves light up to half of white as it is and bends the rest so that 1000
// cd/m² becomes white, by the brightest of the three so that hues stay → gamma 2.4. White of HDR is 203 cd/m²
// (BT.2408). Light outside BT.709 is clipped. That is a viewing rule, not a grading: it makes HDR and SDR
// shots of a scene look alike to an encoder trained on SDR pictures. What a stream does not say is guessed as
// players do: see guess() in planes.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace longtake {

enum class ColourMatrix { kRgb, kGrey, kBt601, kBt709, kFcc, kSmpte240m, kBt2020, kYcgco };
enum class Transfer { kSdr, kPq, kHlg };

struct Colour {
  ColourMatrix matrix = ColourMatrix::kBt709;
  bool full_range = false;
  int bits = 8;  // of a sample: 8..16, in the low bits
  Transfer transfer = Transfer::kSdr;
  bool bt2020_primaries = false;

  bool operator==(const Colour&) const = default;
};

// One kind of colour, prepared. Immutable, any thread.
class ColourConverter {
 public:
  explicit ColourConverter(const Colour& colour);
  ~ColourConverter();

  // One row: `planes` are Y, U, V, or R, G, B, or Y alone (grey); `rgb` gets 3 bytes a pixel. Sample is
  // uint8_t or uint16_t, as the bit depth wants.
  template <class Sample>
  void convert_row(const std::array<const Sample*, 3>& planes, std::size_t pixels, std::uint8_t* rgb) const;

  const Colour& colour() const noexcept { return colour_; }

 private:
  struct HdrTables;

  Colour colour_;
  std::array<std::array<float, 3>, 3> matrix_{};  // [R', G', B'][plane], to 0..255
  std::array<float, 3> offset_{};
  std::unique_ptr<const HdrTables> hdr_;  // null for ordinary video
};

}  // namespace longtake
