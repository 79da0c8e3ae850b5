// A frame as the later stages want it: squeezed to the encoder's size, encoded, with a thumbnail.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/pipeline/stages.h"
#include "models/encoder/encoder.h"

namespace longtake {

// How a training may look at a frame more than once.
enum class FrameView {
  kPlain,
  kDegraded,    // see degrade.h
  kMirrored,    // left is right
  kUpsideDown,  // top is bottom
};

struct FrameEncoderOptions {
  bool probabilities = true;  // also run the encoder's own classifier
  // [224][224] 0 or 1: pixels that are black before anything looks at them are 0. Null: everything is looked at.
  std::shared_ptr<const std::vector<std::uint8_t>> visible;
  FrameView view = FrameView::kPlain;
  bool grey = false;  // also the picture in grey
};

// Box means. `image` is no smaller.
Thumbnail thumbnail_of(const RgbImage& image);

std::unique_ptr<FrameEncoder> make_frame_encoder(std::shared_ptr<const Encoder> encoder,
                                                 const FrameEncoderOptions& options);

}  // namespace longtake
