// Single pictures of a film, quickly and anywhere in it: for thumbnails. A source delivers the frames that an analysis
// watches; this one looks at what lies nearest.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "core/media/picture.h"
#include "core/media/source.h"
#include "core/result.h"

namespace longtake {

class Glance {
 public:
  // Files that can be read from anywhere; no pipes, URLs or numbered images. Errors: kInput, kStopped.
  static Result<std::unique_ptr<Glance>> open(const std::string& path, std::stop_token stop);
  ~Glance();

  Rational time_base() const noexcept;

  struct Seen {
    std::int64_t pts = 0;  // as the stream has it, unrepaired
    Rational sample_aspect{1, 1};
    std::shared_ptr<const Picture> picture;  // null: there is none
  };
  // The key frame before a moment, as far as the container knows: costs the decoding of one picture.
  Result<Seen> key_frame(double seconds, std::stop_token stop);
  // The first picture at or after a moment: costs the decoding from the key frame on.
  Result<Seen> frame(double seconds, std::stop_token stop);

 private:
  struct Inside;
  explicit Glance(std::unique_ptr<Inside> inside);

  std::unique_ptr<Inside> inside_;
};

}  // namespace longtake
