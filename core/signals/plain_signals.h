// The plain rivals of what is learned: how much each frame differs from the one before it, by means that everybody has.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/records/records.h"
#include "core/signals/observation.h"

namespace longtake {

// The frame in grey, squeezed to a square: enough to see what moves.
inline constexpr int kGreySide = 112;
using GreyPicture = std::vector<std::uint8_t>;  // [112][112]; empty: not wanted

// Which are wanted.
struct PlainSignalChoice {
  bool pixel = false, cell = false, histogram = false, feature = false, flow = false;
  bool any() const { return pixel || cell || histogram || feature || flow; }
};
// In the order of PlainSignals.
inline constexpr std::array kPlainSignalNames{"pixel", "cell", "histogram", "feature", "flow"};

// Each is 0 for the first frame after a start or a break.
//   pixel      mean change of a thumbnail's level, 0..1
//   cell       the same of that point of the thumbnail that changes most; mean of about kCellSeconds (exponential): with a
//              camera that stands still, whether something moves anywhere
//   histogram  share of the thumbnail's pixels whose colour (4 x 4 x 4) went elsewhere, 0..1
//   feature    1 − cosine of the encoder's mean vectors, 0..2
//   flow       mean length of the motion, in widths of the picture: of 4x4 parts, each found by phase correlation and
//              weighted by how clearly it was found
// One thread, fixed memory.
class PlainSignalWatcher {
 public:
  static constexpr double kCellSeconds = 1.5;

  explicit PlainSignalWatcher(PlainSignalChoice choice) : choice_(choice) {}

  // `dt`: seconds since the frame before. Throws std::invalid_argument for a grey picture of another size, if flow is wanted.
  PlainSignals step(const Thumbnail& thumbnail, std::span<const float> embedding, const GreyPicture& grey, double dt);
  void flush() { any_ = false; }

  template <class Archive>
  void archive(Archive& a) {
    a("any", any_);
    a("thumbnail", thumbnail_);
    a("embedding", embedding_);
    a("grey", grey_);
    a("cell", cell_);
  }

 private:
  PlainSignalChoice choice_;
  // The last frame.
  bool any_ = false;
  Thumbnail thumbnail_{};
  std::array<float, 1280> embedding_{};
  std::array<std::uint8_t, kGreySide * kGreySide> grey_{};
  double cell_ = 0;  // its mean
};

}  // namespace longtake
