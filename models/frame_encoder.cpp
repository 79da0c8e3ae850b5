#include "models/frame_encoder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/media/picture.h"
#include "models/degrade.h"

namespace longtake {
namespace {

// Luma of BT.601, means of 2x2 pixels.
GreyPicture grey_of(const RgbImage& image) {
  GreyPicture out;
  out.reserve(kGreySide * kGreySide);
  static_assert(Encoder::kInputSide == 2 * kGreySide);
  for (int row = 0; row < image.height; row += 2) {
    for (int column = 0; column < image.width; column += 2) {
      int sum = 0;
      for (const int y : {row, row + 1}) {
        for (const int x : {column, column + 1}) {
          const std::uint8_t* const pixel = &image.pixels[static_cast<std::size_t>((y * image.width + x) * 3)];
          sum += 77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2];
        }
      }
      out.push_back(static_cast<std::uint8_t>(sum >> 10));
    }
  }
  return out;
}

void mirror(RgbImage& image) {
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * 3;
  for (std::size_t row = 0; row < image.pixels.size(); row += row_bytes) {
    for (std::size_t left = row, right = row + row_bytes - 3; left < right; left += 3, right -= 3) {
      std::swap_ranges(&image.pixels[left], &image.pixels[left] + 3, &image.pixels[right]);
    }
  }
}

void turn_upside_down(RgbImage& image) {
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * 3;
  for (std::size_t top = 0, bottom = image.pixels.size() - row_bytes; top < bottom; top += row_bytes, bottom -= row_bytes) {
    std::swap_ranges(&image.pixels[top], &image.pixels[top] + row_bytes, &image.pixels[bottom]);
  }
}

class Chain final : public FrameEncoder {
 public:
  Chain(std::shared_ptr<const Encoder> encoder, const FrameEncoderOptions& options)
      : encoder_(std::move(encoder)), workspace_(*encoder_), visible_(options.visible), view_(options.view), grey_(options.grey) {
    output_.wants_probabilities = options.probabilities;
  }

  Result<Encoded> encode(const Frame& frame) override {
    const int side = view_ == FrameView::kDegraded ? degraded_from(Encoder::kInputSide) : Encoder::kInputSide;
    if (auto done = converter_.to_rgb(*frame.picture, side, side, image_); !done) return std::move(done).error();
    switch (view_) {
      case FrameView::kPlain: break;
      case FrameView::kDegraded: image_ = degrade(image_, Encoder::kInputSide); break;
      case FrameView::kMirrored: mirror(image_); break;
      case FrameView::kUpsideDown: turn_upside_down(image_); break;
    }
    if (visible_) {
      for (std::size_t i = 0; i < visible_->size(); ++i) {
        for (std::size_t c = 0; c < 3; ++c) image_.pixels[i * 3 + c] *= (*visible_)[i];
      }
    }
    encoder_->encode(image_.pixels, workspace_, output_);
    Encoded out;
    out.tokens = output_.tokens;
    out.embedding = output_.embedding;
    out.probabilities = output_.probabilities;
    out.thumbnail = thumbnail_of(image_);
    if (grey_) out.grey = grey_of(image_);
    return out;
  }

 private:
  std::shared_ptr<const Encoder> encoder_;
  Encoder::Workspace workspace_;
  std::shared_ptr<const std::vector<std::uint8_t>> visible_;
  FrameView view_;
  bool grey_;
  PictureConverter converter_;
  RgbImage image_;
  EncoderOutput output_;
};

}  // namespace

Thumbnail thumbnail_of(const RgbImage& image) {
  Thumbnail out{};
  for (int row = 0; row < kThumbnailHeight; ++row) {
    const int top = row * image.height / kThumbnailHeight;
    const int bottom = (row + 1) * image.height / kThumbnailHeight;
    for (int column = 0; column < kThumbnailWidth; ++column) {
      const int left = column * image.width / kThumbnailWidth;
      const int right = (column + 1) * image.width / kThumbnailWidth;
      std::array<int, 3> sum{};
      for (int y = top; y < bottom; ++y) {
        const std::uint8_t* pixel = &image.pixels[static_cast<std::size_t>((y * image.width + left) * 3)];
        for (int x = left; x < right; ++x, pixel += 3) {
          for (std::size_t c = 0; c < 3; ++c) sum[c] += pixel[c];
        }
      }
      const int count = (bottom - top) * (right - left);
      for (std::size_t c = 0; c < 3; ++c) {
        out[static_cast<std::size_t>((row * kThumbnailWidth + column) * 3) + c] =
            static_cast<std::uint8_t>((sum[c] + count / 2) / count);
      }
    }
  }
  return out;
}

std::unique_ptr<FrameEncoder> make_frame_encoder(std::shared_ptr<const Encoder> encoder,
                                                 const FrameEncoderOptions& options) {
  return std::make_unique<Chain>(std::move(encoder), options);
}

}  // namespace longtake
