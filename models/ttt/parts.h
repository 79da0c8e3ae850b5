// The small pieces that layers and blocks are made of, row by row over tokens [n][C]. T is float or double.
#pragma once

#include <span>
#include <vector>

#include "kernels/aligned.h"

namespace longtake {

// y = x A + bias, A stored [in][out] so that it is read in the order it is used.
template <class T>
struct Dense {
  int in = 0;
  int out = 0;
  AlignedVector<T> a;   // [in][out]
  std::vector<T> bias;  // [out], or empty
};
template <class T>
void apply_dense(const Dense<T>& dense, std::span<const T> x, std::span<T> y);  // [n][in] → [n][out]
// `weight` [out][in], as it is stored. Throws std::invalid_argument on another extent.
Dense<float> dense_from(int in, int out, std::span<const float> weight, std::vector<float> bias);
// (x − mean) / scale · projectionᵀ in one step; mean, scale [in], projection [out][in].
Dense<float> dense_after_z_score(std::span<const float> mean, std::span<const float> scale, std::span<const float> projection);

// A causal convolution along the tokens, each channel for itself.
template <class T>
struct DepthwiseConv {
  int taps = 0;         // 0: absent
  AlignedVector<T> a;   // [taps][C], the last tap is the current token
  std::vector<T> bias;  // [C]
};
// `tail` [taps−1][C] holds the inputs before x, oldest first; zeros at the start of a stream.
template <class T>
void apply_conv(const DepthwiseConv<T>& conv, std::span<const T> tail, std::span<const T> x, std::span<T> y);
// Moves the tail on by the rows of x.
template <class T>
void push_tail(std::span<T> tail, std::span<const T> x);

// weight ⊙ x / sqrt(mean x² + eps). x and y may be the same.
template <class T>
struct RmsNorm {
  std::vector<T> weight;  // [C]
  double eps = 1e-6;
};
template <class T>
void rms_norm(const RmsNorm<T>& norm, std::span<const T> x, std::span<T> y);

// weight ⊙ (x − mean x) / sqrt(variance + eps) + bias, the variance biased. x and y may be the same.
template <class T>
struct LayerNorm {
  std::vector<T> weight;  // [C]
  std::vector<T> bias;    // [C]
  double eps = 1e-6;
};
template <class T>
void layer_norm(const LayerNorm<T>& norm, std::span<const T> x, std::span<T> y);

template <class T>
T sigmoid(T x);

}  // namespace longtake
