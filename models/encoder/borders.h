// The few steps before and after the convolutions, as plain loops. All sums run in a fixed order.
#pragma once

#include <cstdint>
#include <span>

namespace longtake {

// Bytes to what the network was trained on: (x − 127) / 128, exact in fp32.
void scale_picture(std::span<const std::uint8_t> rgb, float* out);

// Adaptive mean pooling of a map [7][7][320] to tokens [16][320]: windows of two or three rows and columns.
void pool_tokens(const float* map, std::span<float> tokens);

// Means of a map [7][7][1280] over all its cells.
void mean_of_map(const float* map, std::span<float> means);

void softmax(std::span<const float> logits, std::span<float> probabilities);

}  // namespace longtake
