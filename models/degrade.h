// The same picture as another camera setting or another copy of the video would have it: a little closer, brighter, and
// squeezed hard. A memory should know it again.
#pragma once

#include "core/media/picture.h"

namespace longtake {

// How much wider and higher the picture has to be that degrade() cuts `side` x `side` from.
int degraded_from(int side);

// The middle [side][side] of `image`, 10 % brighter, its blocks of 8x8 pixels rounded as by a JPEG of low quality.
RgbImage degrade(const RgbImage& image, int side);

}  // namespace longtake
