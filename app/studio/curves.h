// Every number that an analysis gave of every frame, in a fixed number of bytes: what curves and heat strips are drawn from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/media/source.h"
#include "core/records/records.h"
#include "core/signals/curve_pyramid.h"

namespace longtake {

// When each frame was, in seconds. Where there is no room for all, every 2^n-th is kept, and frames between two lie evenly.
class FrameTimes {
 public:
  explicit FrameTimes(std::size_t most = std::size_t{1} << 18) : most_(most) { kept_.reserve(most); }

  void append(double t);
  void clear();
  std::int64_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return most_ * sizeof(double); }

  // Frames may be fractions, and lie outside: the first and last frame's rate goes on there.
  double time_of(double frame) const;
  double frame_at(double t) const;

 private:
  std::size_t most_;
  std::int64_t stride_ = 1, size_ = 0;
  double last_ = 0;
  std::vector<double> kept_;  // of frames 0, stride, 2 stride, …
};

struct LayerCurves {
  CurvePyramid before, after;  // inner loss of a frame before and after its update
  CurvePyramid drift;
};

class Curves {
 public:
  void begin(int layers);
  void add(const FrameRecord& frame);

  const FrameTimes& times() const noexcept { return times_; }
  const std::vector<LayerCurves>& layers() const noexcept { return layers_; }
  const CurvePyramid& surprise() const noexcept { return surprise_; }
  const CurvePyramid& novelty() const noexcept { return novelty_; }
  std::int64_t frames() const noexcept { return times_.size(); }
  std::size_t bytes() const noexcept;  // does not grow with frames

 private:
  FrameTimes times_;
  std::vector<LayerCurves> layers_;
  CurvePyramid surprise_, novelty_;
};

}  // namespace longtake
