// The names of the 1,000 ImageNet classes, from assets/imagenet_classes.txt, in the order of the encoder's
// outputs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/records/records.h"

namespace longtake {

std::span<const std::string_view> imagenet_classes() noexcept;  // [1000], all different

// The `count` largest of `probabilities` [1000], largest first; of equals the one that comes first. Throws
// std::invalid_argument on another size.
std::vector<NamedScore> top_classes(std::span<const float> probabilities, std::size_t count);

}  // namespace longtake
