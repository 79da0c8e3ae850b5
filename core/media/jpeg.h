// Small pictures as files that every browser shows.
#pragma once

#include <string>

#include "core/media/picture.h"
#include "core/result.h"

namespace longtake {

// The bytes of a JPEG file with all of its colour (4:4:4). quality: 2 (best) to 31, as FFmpeg counts it. Equal images give
// equal bytes with one version of FFmpeg. Errors: kUnexpected. Throws std::invalid_argument for an image that is empty or
// whose pixels are not as many as its size says.
Result<std::string> encode_jpeg(const RgbImage& image, int quality);

}  // namespace longtake
